"""What may happen to a picture on its way to us, made at random."""

import io

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

FILTERS = (Image.Resampling.NEAREST, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)


def augment(crop: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A crop uint8 [S, S, 3] flipped, framed otherwise, rescaled, blurred, recoloured, made noisy and compressed.

    Every choice comes from `random` and none from the picture: two pictures given equal generators undergo the same,
    so nothing that happens here can tell a real from its fake.
    """
    image = _reframe(Image.fromarray(crop), random)
    if random.random() < 0.3:
        image = _rescale(image, random.uniform(0.25, 0.9), *random.choice(len(FILTERS), 2))
    if random.random() < 0.15:
        image = image.filter(ImageFilter.GaussianBlur(random.uniform(0.3, 1.6)))
    if random.random() < 0.5:
        for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
            image = enhance(image).enhance(random.uniform(0.75, 1.25))
    if random.random() < 0.2:
        image = _noisy(image, random)
    kind, quality = random.random(), int(random.integers(35, 96))
    if kind < 0.5:
        image = _compress(image, "JPEG", quality)
    elif kind < 0.65:
        image = _compress(image, "WEBP", quality)
    return np.asarray(image)


def _reframe(image: Image.Image, random: np.random.Generator) -> Image.Image:
    whole = image.width
    side = random.uniform(0.85, 1.0) * whole
    left, top = random.uniform(0, whole - side, 2)
    if random.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return image.resize((whole, whole), Image.Resampling.BILINEAR, box=(left, top, left + side, top + side))


def _rescale(image: Image.Image, factor: float, down: int, up: int) -> Image.Image:
    side = max(16, round(image.width * factor))
    return image.resize((side, side), FILTERS[down]).resize(image.size, FILTERS[up])


def _noisy(image: Image.Image, random: np.random.Generator) -> Image.Image:
    pixels = np.asarray(image, np.float32) + random.normal(0, random.uniform(1, 7), (*image.size, 3))
    return Image.fromarray(pixels.round().clip(0, 255).astype(np.uint8))


def _compress(image: Image.Image, form: str, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    # Method 0: WebP's slower searches cost more than the training step itself.
    image.save(buffer, form, quality=quality, **({"method": 0} if form == "WEBP" else {}))
    return Image.open(buffer).convert("RGB")
