"""Which part of a picture the networks see, and how it becomes a crop."""

import numpy as np
from PIL import Image

from deepfake_client.faces.box import Box


def face_region(box: Box, margin: float, width: int, height: int) -> tuple[int, int, int, int]:
    """The square around a face: its longer side plus `margin` of it on each side, moved inside the picture.

    Box in pixels of a picture of width × height. Where the picture is too small for the square, the square shrinks
    to the picture's shorter side: a picture that is a tight face crop is taken nearly whole, nothing is padded.
    Returns x, y, width, height in whole pixels.
    """
    x, y, box_width, box_height = box
    side = max(1, min(round(max(box_width, box_height) * (1 + 2 * margin)), width, height))
    left = round(x + box_width / 2 - side / 2)
    top = round(y + box_height / 2 - side / 2)
    return min(max(left, 0), width - side), min(max(top, 0), height - side), side, side


def cut(image: np.ndarray, region: tuple[int, int, int, int], side: int) -> np.ndarray:
    """The region of an RGB uint8 [H, W, 3] picture as uint8 [side, side, 3], PIL's antialiased bilinear resize."""
    x, y, width, height = region
    # Cut before the resize: a filter that reached over the border would see pixels outside the region.
    part = Image.fromarray(np.ascontiguousarray(image[y : y + height, x : x + width]))
    return np.asarray(part.resize((side, side), Image.Resampling.BILINEAR))
