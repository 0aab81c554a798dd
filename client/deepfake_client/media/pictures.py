"""Reads pictures, still and animated, with Pillow."""

import os
import struct
from collections.abc import Iterator

import numpy as np
import pillow_heif
from PIL import AvifImagePlugin, Image, ImageFile, ImageOps, MpoImagePlugin, TiffImagePlugin, WebPImagePlugin

from deepfake_client.errors import DamagedMediaError
from deepfake_client.media import animations, tags
from deepfake_client.media.frame import Frame, Opened, Request
from deepfake_client.media.pixels import check_size, to_rgb

# Pillow imports these when it needs them, which is too late: by then no file can be opened.
LOADED_EARLY = (AvifImagePlugin, MpoImagePlugin, TiffImagePlugin, WebPImagePlugin)
CODECS = {"HEIF": "hevc", "AVIF": "av1"}  # where the container's name is not the codec's
CUT_OFF = "The picture is cut off; its missing part is shown grey."

Image.MAX_IMAGE_PIXELS = None  # check_size says it in our words
Image.init()
pillow_heif.register_heif_opener()


def read(request: Request) -> Iterator[Opened | Frame | str]:
    """The picture upright, or the sampled frames of an animated one. The reader of sniff's "picture"."""
    image = _open(request)
    if request.format in animations.FORMATS and getattr(image, "is_animated", False):
        yield from animations.read(image, _codec(request), request)
        return
    warning = _load(image, request)
    pixels = to_rgb(_upright(image))
    height, width, _ = pixels.shape
    yield Opened("image", _codec(request), width, height, None, None, 1, tags.of_picture(image))
    if warning:
        yield warning
    yield Frame(0, 0.0, pixels)


def _open(request: Request) -> Image.Image:
    """The picture, not yet decoded, its size checked."""
    os.lseek(request.fd, 0, os.SEEK_SET)
    try:
        image = Image.open(os.fdopen(request.fd, "rb", closefd=False), formats=[request.format])
    except (OSError, ValueError, RuntimeError, SyntaxError, struct.error) as cause:
        raise DamagedMediaError("The picture is damaged: it begins like one, and can't be read.") from cause
    check_size(*image.size, request.max_pixels)
    return image


def _load(image: Image.Image, request: Request) -> str | None:
    """Decodes; a picture that is cut off gives what it has, and the warning to say so."""
    try:
        image.load()
        return None
    except (OSError, ValueError, RuntimeError, SyntaxError, struct.error) as cause:
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        try:
            image.load()
        except (OSError, ValueError, RuntimeError, SyntaxError, struct.error):
            raise DamagedMediaError("The picture is damaged and can't be decoded.") from cause
        if all(low == high for low, high in np.atleast_2d(image.getextrema())):
            raise DamagedMediaError("The picture is cut off before its first pixel.") from cause
        return CUT_OFF


def _upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF tag says; HEIC and AVIF are turned by their own decoders, which then reset or set the tag."""
    try:
        return ImageOps.exif_transpose(image)
    except (OSError, ValueError, SyntaxError, KeyError, TypeError, struct.error):
        return image  # an unreadable tag turns nothing


def _codec(request: Request) -> str:
    return CODECS.get(request.format, request.format.lower())
