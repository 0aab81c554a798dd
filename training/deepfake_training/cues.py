"""Numbers of a picture that look at no face."""

from typing import NamedTuple

import cv2
import numpy as np

from deepfake_training.detail import detail
from deepfake_training.spectrum import azimuthal_average, luminance

FINE, COARSE = (0.35, 0.5), (0.1, 0.2)  # cycles per pixel
JPEG_QUALITY = 90


class Cues(NamedTuple):
    """Of one picture: its fine detail, in levels of 255; the mean log power of fine structure less that of coarse; its
    size as a JPEG in bytes; mean saturation, mean brightness and brightness's deviation, 0 to 255; its face's longer
    side in pixels of the source."""

    detail: float
    high_frequency: float
    jpeg_bytes: float
    saturation: float
    brightness: float
    contrast: float
    face_side: float


def cues(picture: np.ndarray, face_side: float) -> Cues:
    """Of a crop RGB uint8 [S, S, 3] whose face's longer side is so many pixels in the source."""
    grey = luminance(picture)
    power = azimuthal_average(grey - grey.mean())
    fine, coarse = (power[_rings(band, len(picture))].mean() for band in (FINE, COARSE))
    coded = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    saturation = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)[..., 1].mean()
    numbers = fine - coarse, len(coded), saturation, grey.mean(), grey.std(), face_side
    return Cues(detail(picture), *(float(number) for number in numbers))


def _rings(band: tuple[float, float], side: int) -> slice:
    """Where the average over directions has these frequencies; its first number is of one cycle per side."""
    return slice(round(band[0] * side) - 1, round(band[1] * side))
