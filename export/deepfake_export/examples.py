"""Pictures to compare on: made in code from the ones that matplotlib and scikit-learn carry under free terms."""

import matplotlib.cbook
import numpy as np
from deepfake_contract.policy import CROP_SIDE
from PIL import Image, ImageEnhance, ImageFilter
from sklearn.datasets import load_sample_image

FACE = (140, 60, 380, 300)  # left, top, right, lower of the face in matplotlib's portrait, pixels
CROPS = 32
FRAME_SIZES = ((512, 600), (333, 201), (640, 427), (31, 47))  # width, height in pixels; the last has no face


def crops(count: int = CROPS, side: int = CROP_SIDE) -> np.ndarray:
    """uint8 [count, side, side, 3] RGB, all different: faces and scenes, turned, scaled, blurred, recoloured; noise."""
    random = np.random.default_rng(0)
    scenes = [Image.fromarray(load_sample_image(name)) for name in ("china.jpg", "flower.jpg")]
    noise = Image.fromarray(random.integers(0, 256, (side, side, 3), dtype=np.uint8))
    kinds = [portrait().crop(FACE), scenes[0], portrait().crop(FACE), scenes[1], portrait(), noise]
    return np.stack([_changed(kinds[index % len(kinds)], random, side) for index in range(count)])


def frames() -> list[np.ndarray]:
    """uint8 [H, W, 3] RGB of several sizes, with a face and without."""
    scene = Image.fromarray(load_sample_image("china.jpg"))
    return [np.asarray(picture.resize(size)) for size in FRAME_SIZES for picture in (portrait(), scene)]


def portrait() -> Image.Image:
    """Grace Hopper, official photograph of the United States Navy, in the public domain."""
    return Image.open(str(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))).convert("RGB")


def face_sides(count: int) -> np.ndarray:
    """Sides float32 [count, 1] of the faces that crops could come from, pixels."""
    return np.random.default_rng(1).uniform(24, 600, (count, 1)).astype(np.float32)


def _changed(picture: Image.Image, random: np.random.Generator, side: int) -> np.ndarray:
    picture = picture.rotate(float(random.uniform(-20, 20)), Image.Resampling.BILINEAR)
    detail = round(side * float(random.uniform(0.3, 1.0)))
    picture = picture.resize((detail, detail)).resize((side, side), Image.Resampling.BILINEAR)
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        picture = enhance(picture).enhance(float(random.uniform(0.4, 1.6)))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(float(random.uniform(0, 2)))))
