"""Fine detail of a picture, and pairs brought to the same amount of it, so that soft or crisp says nothing of real or
fake."""

import cv2
import numpy as np

STEPS = 7  # of the search for the blur that leaves so much detail
SOFTEST = 4.0  # pixels: the strongest blur that evens out a pair
LEAST = 0.3  # of the softer picture's detail is left to both at least
EVEN = 0.5  # of the pairs keep what the softer one has


def detail(image: np.ndarray) -> float:
    """How much fine detail an RGB uint8 picture [H, W, 3] shows: the deviation of its luminance's Laplacian, in levels
    of 255."""
    return _detail(_luminance(image))


def evened(real: np.ndarray, fake: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A pair, RGB uint8 [S, S, 3] each, blurred to one amount of detail: what the softer one has, or less, drawn wide.

    Fakes of one source are softer than its reals, of another crisper: whatever a network learnt of that would be wrong
    elsewhere. What differs within a picture, a soft face on a crisp body, stays.
    """
    details = detail(real), detail(fake)
    left = 1.0 if random.random() < EVEN else float(np.exp(random.uniform(np.log(LEAST), 0)))
    # Not alike to the digit, as no two are in life; below what both have, or the softer one could be told again.
    wishes = left * min(details) * random.uniform(0.7, 1, 2)
    return _softened(real, float(wishes[0])), _softened(fake, float(wishes[1]))


def _softened(image: np.ndarray, wanted: float) -> np.ndarray:
    """With this much detail left, as far as a blur gets there; as it is where it has no more."""
    luminance = _luminance(image)
    if _detail(luminance) <= wanted:
        return image
    low, high = 0.0, SOFTEST
    for _ in range(STEPS):
        middle = (low + high) / 2
        if _detail(_blurred(luminance, middle)) > wanted:
            low = middle
        else:
            high = middle
    # In floats, as searched: OpenCV cuts its kernels for bytes shorter.
    return _blurred(image.astype(np.float32), (low + high) / 2).round().astype(np.uint8)


def _blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), max(sigma, 0.1))


def _luminance(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)


def _detail(luminance: np.ndarray) -> float:
    return float(cv2.Laplacian(luminance, cv2.CV_32F).std())
