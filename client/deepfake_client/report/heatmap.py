"""A face's map as a picture to lay over its crop: toward FAKE orange, toward REAL blue, the stronger the denser."""

import base64
import io
from collections.abc import Iterable

import numpy as np
from PIL import Image

from deepfake_client.results import FrameResult

# Vermillion and blue that colour-blind people tell apart (Okabe and Ito, Color Universal Design, 2008).
TOWARD_FAKE = (0xD5, 0x5E, 0x00)
TOWARD_REAL = (0x00, 0x72, 0xB2)


def strongest(frames: Iterable[FrameResult]) -> float:
    """The largest |logit| of all maps; 0.0 without any."""
    maps = (face.heatmap for frame in frames for face in frame.faces if face.heatmap)
    return max((abs(value) for rows in maps for row in rows for value in row), default=0.0)


def map_picture(heatmap: list[list[float]], strongest: float) -> str:
    """A PNG's data URI, a pixel a cell (RGBA): browsers blend from cell to cell. `strongest` is opaque."""
    values = np.asarray(heatmap, np.float64)
    pixels = np.empty((*values.shape, 4), np.uint8)
    pixels[..., :3] = np.where(values[..., np.newaxis] > 0, TOWARD_FAKE, TOWARD_REAL)
    pixels[..., 3] = np.rint(255 * (np.abs(values) / strongest)) if strongest else 0
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode("ascii")
