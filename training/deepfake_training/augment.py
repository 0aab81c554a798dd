"""What may happen to a picture on its way to us, made at random."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from deepfake_contract.errors import UsageError

Range = tuple[float, float]
FILTERS = (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA, cv2.INTER_LANCZOS4)
SMALLEST = 16  # pixels: no picture is scaled below this


@dataclass(frozen=True)
class Augmentation:
    """How strongly pictures are changed. `spared` is the share of pictures to which nothing happens but a flip, so that
    traces which augmentation destroys are learnt too; of the rest `rescale`, `blur`, `noise`, `cut_out` and `video` are
    shares. `scale` is the factor, `sigma` the blur's in pixels, `grain` the noise's deviation in levels of 255,
    `quality` JPEG's and WebP's, `crf` H.264's."""

    spared: float
    rescale: float
    scale: Range
    blur: float
    sigma: Range
    noise: float
    grain: Range
    quality: tuple[int, int]
    video: float
    crf: tuple[int, int]
    cut_out: float = 0.1


MEDIUM = Augmentation(0.25, 0.35, (0.25, 0.95), 0.15, (0.3, 1.5), 0.2, (1, 7), (40, 96), 0.05, (18, 36))
LIGHT = replace(MEDIUM, spared=0.35)
STRONG = Augmentation(0.2, 0.6, (0.15, 0.8), 0.3, (0.4, 2.5), 0.35, (2, 14), (20, 90), 0.15, (23, 42), cut_out=0.2)


def augment(crop: np.ndarray, augmentation: Augmentation, random: np.random.Generator) -> np.ndarray:
    """A crop RGB uint8 [S, S, 3] flipped; framed otherwise, rescaled, blurred, recoloured, made noisy and compressed,
    unless it is spared.

    Every choice comes from `random` and none from the picture: two pictures given equal generators undergo the same,
    so nothing that happens here can tell a real from its fake.
    """
    if random.random() < augmentation.spared:
        return _flip(crop, random)
    image = _reframe(crop, random)
    if random.random() < augmentation.blur:
        image = cv2.GaussianBlur(image, (0, 0), random.uniform(*augmentation.sigma))
    factor = random.uniform(*augmentation.scale) if random.random() < augmentation.rescale else 1.0
    down, up = int(random.choice(FILTERS)), int(random.choice(FILTERS[1:3]))
    image = cv2.resize(image, _small(image, factor), interpolation=down)
    if random.random() < 0.5:
        image = recolour(image, random)
    if random.random() < augmentation.noise:
        noise = random.normal(0, random.uniform(*augmentation.grain), image.shape)
        image = (image + noise).round().clip(0, 255).astype(np.uint8)
    if random.random() < augmentation.cut_out:
        image = _cut_out(image, random)
    # Compressed at the size it is sent in, and only then brought to the network's size, as a small face in a frame is.
    return cv2.resize(_compress(image, augmentation, random), crop.shape[1::-1], interpolation=up)


def with_augmented(crops: np.ndarray, augmentation: Augmentation, seed: int) -> np.ndarray:
    """Crops uint8 [N, S, S, 3] as they are, and then each augmented once: [2N, S, S, 3]."""
    augmented = [augment(crop, augmentation, np.random.default_rng([seed, at])) for at, crop in enumerate(crops)]
    return np.stack([*crops, *augmented])


def rescale(image: np.ndarray, factor: float, down: int, up: int) -> np.ndarray:
    """Made smaller by `factor` and brought back, by two of OpenCV's filters."""
    small = cv2.resize(image, _small(image, factor), interpolation=down)
    return cv2.resize(small, image.shape[1::-1], interpolation=up)


def _small(image: np.ndarray, factor: float) -> tuple[int, int]:
    """The size times `factor`, even, as video wants it."""
    height, width = image.shape[:2]
    return max(SMALLEST, 2 * round(width * factor / 2)), max(SMALLEST, 2 * round(height * factor / 2))


def recolour(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Brightness, contrast and saturation each by up to a quarter, and sometimes grey."""
    brightness, contrast, saturation = random.uniform(0.75, 1.25, 3)
    if random.random() < 0.1:
        saturation = 0.0
    pixels = image.astype(np.float32) * brightness
    pixels = (pixels - 128) * contrast + 128
    grey = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
    return (grey[..., None] + (pixels - grey[..., None]) * saturation).round().clip(0, 255).astype(np.uint8)


def _reframe(crop: np.ndarray, random: np.random.Generator) -> np.ndarray:
    whole = len(crop)
    side = random.uniform(0.85, 1.0) * whole
    left, top = random.uniform(0, whole - side, 2)
    stretch, angle = random.uniform(0.94, 1.06), random.uniform(-8, 8) * (random.random() < 0.3)
    factor = whole / side
    turn = cv2.getRotationMatrix2D((whole / 2, whole / 2), angle, 1.0)
    place = np.array([[factor * stretch, 0, -left * factor], [0, factor, -top * factor], [0, 0, 1]])
    matrix = (place @ np.vstack([turn, [0, 0, 1]]))[:2]
    image = cv2.warpAffine(crop, matrix, (whole, whole), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return _flip(image, random)


def _flip(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return np.ascontiguousarray(image[:, ::-1]) if random.random() < 0.5 else image


def _cut_out(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A rectangle of one colour over up to a tenth of the picture."""
    side = len(image)
    height, width = (random.uniform(0.1, 0.4, 2) * side).astype(int)
    top, left = random.integers(0, side - height), random.integers(0, side - width)
    image = image.copy()
    image[top : top + height, left : left + width] = random.integers(0, 256, 3)
    return image


def _compress(image: np.ndarray, augmentation: Augmentation, random: np.random.Generator) -> np.ndarray:
    kind = random.random()
    quality, crf = (int(random.integers(*bounds)) for bounds in (augmentation.quality, augmentation.crf))
    if kind < augmentation.video:
        return video_compressed(image, crf)
    if kind < augmentation.video + 0.5:
        return _coded(image, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality])
    if kind < augmentation.video + 0.6:
        return _coded(image, ".webp", [cv2.IMWRITE_WEBP_QUALITY, quality])
    return image


def _coded(image: np.ndarray, suffix: str, options: list[int]) -> np.ndarray:
    # The channels' order matters to neither coder's reader here: it is turned round on both ways.
    coded = cv2.imencode(suffix, image[..., ::-1], options)[1]
    decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.ascontiguousarray(decoded[..., ::-1])


def video_compressed(image: np.ndarray, crf: int) -> np.ndarray:
    """RGB uint8 [H, W, 3] with even sides as a key frame of H.264 shows it; UsageError where PyAV is missing."""
    try:
        from deepfake_training.video_augmentation import key_frame
    except ImportError as cause:
        raise UsageError(
            "Augmentation by video compression needs PyAV, which is missing here: install it (pip install av), or "
            "take a training mixture whose augmentation has video=0."
        ) from cause
    return key_frame(image, crf)
