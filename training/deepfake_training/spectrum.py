"""How much of a picture is coarse and how much is fine: its power by frequency, whatever the direction."""

from functools import cache

import cv2
import numpy as np

FLOOR = 1.0  # added to each power, which in 8-bit pictures rounding alone makes a thousand times larger


def luminance(picture: np.ndarray) -> np.ndarray:
    """Of RGB uint8 [H, W, 3]: float32 [H, W], in levels of 255, not rounded."""
    return cv2.cvtColor(picture.astype(np.float32), cv2.COLOR_RGB2GRAY)


def azimuthal_average(plane: np.ndarray) -> np.ndarray:
    """The mean log power of all directions at 1, 2, … S / 2 cycles per side of a plane float [S, S], S even: float64
    [S / 2] (Durall et al. 2020, Unmasking DeepFakes with Simple Features)."""
    power = np.abs(np.fft.rfft2(plane)) ** 2
    ring, weight = _rings(len(plane))
    total = np.bincount(ring, weight * np.log(power + FLOOR).ravel())
    return (total / np.bincount(ring, weight))[1 : len(plane) // 2 + 1]


@cache
def _rings(side: int) -> tuple[np.ndarray, np.ndarray]:
    """The whole number of cycles per side of each cell of a plane's `rfft2`, in a row, and how many cells of the full
    transform it stands for."""
    across = np.fft.rfftfreq(side) * side
    down = np.fft.fftfreq(side) * side
    weight = np.where((across == 0) | (across == side / 2), 1.0, 2.0)
    ring = np.hypot(down[:, None], across[None]).round().astype(int)
    return ring.ravel(), np.tile(weight, side)
