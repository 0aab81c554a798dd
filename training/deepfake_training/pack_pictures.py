"""How a picture is stored in a pack."""

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from deepfake_client.faces.box import Box
from PIL import Image

from deepfake_training.augment import video_compressed

if TYPE_CHECKING:
    from deepfake_client.faces.detect import Face

LARGEST_SIDE = 400  # pixels of the longer side: a larger picture is reduced to its face and what is around it
AROUND = 0.5  # of the box's width and height, on each side of it
VIDEO_JPEG = {"quality": 95, "subsampling": 0}  # takes little more from what the video's compression has left


@dataclass(frozen=True)
class Stored:
    """The file's bytes and suffix, how it came about, the RGB uint8 [H, W, 3] picture that it holds, and the face's box
    and landmarks in that picture's pixels."""

    data: bytes
    suffix: str
    how: str
    picture: np.ndarray
    box: Box
    landmarks: np.ndarray


def stored_picture(path: Path, image: np.ndarray, face: "Face") -> Stored:
    """The bytes as they are where they are a small JPEG file, whose compression is part of what is learnt; else the
    region around the face without loss. `image` is the upright RGB picture in which the face was found."""
    with Image.open(path) as opened:
        small_jpeg = opened.format == "JPEG" and max(opened.size) <= LARGEST_SIDE
    if small_jpeg:
        return Stored(path.read_bytes(), ".jpg", "original", image, face.box, face.landmarks)
    x, y, width, height = face.box
    left, top = max(0, int(x - AROUND * width)), max(0, int(y - AROUND * height))
    right, bottom = x + (1 + AROUND) * width, y + (1 + AROUND) * height
    region = Image.fromarray(image[top : int(np.ceil(bottom)), left : int(np.ceil(right))])
    before = region.size
    region.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.LANCZOS, reducing_gap=None)
    scale = np.array(region.size) / before
    across, down = scale.tolist()
    box = ((x - left) * across, (y - top) * down, width * across, height * down)
    coded = io.BytesIO()
    region.save(coded, "WEBP", lossless=True, quality=80, method=4)
    landmarks = (face.landmarks - (left, top)) * scale
    return Stored(coded.getvalue(), ".webp", "region", np.asarray(region), box, landmarks)


def as_video(stored: Stored, crf: int) -> Stored:
    """The picture as a key frame of H.264 shows it at its own size; a last odd row or column is left off."""
    height, width = (side // 2 * 2 for side in stored.picture.shape[:2])
    frame = video_compressed(np.ascontiguousarray(stored.picture[:height, :width]), crf)
    coded = io.BytesIO()
    Image.fromarray(frame).save(coded, "JPEG", **VIDEO_JPEG)
    return replace(stored, data=coded.getvalue(), suffix=".jpg", how=f"h264-{crf}", picture=frame)
