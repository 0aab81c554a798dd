"""Limits on pictures and frames, and how the pixels of a Pillow image become plain RGB."""

import numpy as np
from deepfake_contract.errors import TooLargeError
from PIL import Image


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Raises TooLargeError for more pixels than allowed; asked before any are allocated."""
    if width * height > max_pixels:
        raise TooLargeError(
            f"The picture is {width} × {height} pixels; the most is {max_pixels:,} pixels (DEEPFAKE_MAX_PIXELS)."
        )


def eight_bits(grey: Image.Image) -> np.ndarray:
    """A picture with 16 bits of grey, of a mode that begins with I, as uint8 [H, W]."""
    wide = np.asarray(grey).astype(np.uint32).clip(0, 65535)  # Pillow's own conversion cuts them off at 255
    return ((wide * 255 + 32767) // 65535).astype(np.uint8)


def to_rgb(image: Image.Image) -> np.ndarray:
    """Any Pillow image as uint8 [H, W, 3]; what shows through transparent parts is white, as on a page."""
    if image.mode.startswith("I"):
        return np.repeat(eight_bits(image)[..., None], 3, axis=2)
    if image.has_transparency_data:
        over = image.convert("RGBA")
        image = Image.new("RGBA", over.size, "white")
        image.alpha_composite(over)
    return np.asarray(
        image if image.mode == "RGB" else image.convert("RGB")
    )  # no copy more than needed: it may be large
