"""Pictures to compare on: made in code from the ones that matplotlib and scikit-learn carry under free terms."""

import matplotlib.cbook
import numpy as np
from PIL import Image, ImageEnhance, ImageFilter
from sklearn.datasets import load_sample_image

from deepfake_export.tensors import CROP_SIDE

FACE = (140, 60, 380, 300)  # left, top, right, lower of the face in matplotlib's portrait, pixels
CROPS = 32
FRAME_SIZES = ((512, 600), (333, 201), (640, 427), (31, 47))  # width, height in pixels; the last has no face


def crops(count: int = CROPS) -> np.ndarray:
    """uint8 [count, 224, 224, 3] RGB, each different: faces and scenes, turned, scaled, blurred, recoloured; noise."""
    random = np.random.default_rng(0)
    scenes = [Image.fromarray(load_sample_image(name)) for name in ("china.jpg", "flower.jpg")]
    noise = Image.fromarray(random.integers(0, 256, (CROP_SIDE, CROP_SIDE, 3), dtype=np.uint8))
    kinds = [portrait().crop(FACE), scenes[0], portrait().crop(FACE), scenes[1], portrait(), noise]
    return np.stack([_changed(kinds[index % len(kinds)], random) for index in range(count)])


def frames() -> list[np.ndarray]:
    """uint8 [H, W, 3] RGB of several sizes, with a face and without."""
    scene = Image.fromarray(load_sample_image("china.jpg"))
    return [np.asarray(picture.resize(size)) for size in FRAME_SIZES for picture in (portrait(), scene)]


def portrait() -> Image.Image:
    """Grace Hopper, official photograph of the United States Navy, in the public domain."""
    return Image.open(str(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))).convert("RGB")


def _changed(picture: Image.Image, random: np.random.Generator) -> np.ndarray:
    picture = picture.rotate(float(random.uniform(-20, 20)), Image.Resampling.BILINEAR)
    detail = round(CROP_SIDE * float(random.uniform(0.3, 1.0)))
    picture = picture.resize((detail, detail)).resize((CROP_SIDE, CROP_SIDE), Image.Resampling.BILINEAR)
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        picture = enhance(picture).enhance(float(random.uniform(0.4, 1.6)))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(float(random.uniform(0, 2)))))
