"""Reads pictures, still and animated, with Pillow."""

import os
from collections.abc import Iterator
from typing import IO

import numpy as np
import pillow_heif
from deepfake_contract.errors import DamagedMediaError
from PIL import AvifImagePlugin, Image, ImageFile, ImageOps, MpoImagePlugin, TiffImagePlugin, WebPImagePlugin

from deepfake_client.media import animations, colour, declared, heif, pngs, tags
from deepfake_client.media.frame import Frame, Opened, Request
from deepfake_client.media.pixels import check_size

# Pillow imports these when it needs them, which is too late: by then no file can be opened.
LOADED_EARLY = (AvifImagePlugin, MpoImagePlugin, TiffImagePlugin, WebPImagePlugin)
CODECS = {"HEIF": "hevc", "AVIF": "av1"}  # where the container's name is not the codec's
CUT_OFF = "The picture is cut off; its missing part is shown grey."
UNREADABLE = (
    "The picture can't be decoded: it is damaged, or of a kind that is not read here. Save it anew as PNG or JPEG."
)

Image.MAX_IMAGE_PIXELS = None  # check_size says it in our words
Image.init()
pillow_heif.register_heif_opener()


def read(request: Request) -> Iterator[Opened | Frame | str]:
    """The picture upright, or the sampled frames of an animated one. The reader of sniff's "picture"."""
    problem: Exception | None = None
    for image in _opened(request):
        if request.format in animations.FORMATS and animations.moves(image):
            yield from animations.read(image, _codec(request), request, lambda: _open(request))
            return
        try:
            image.load()
        except tags.ODD as cause:
            problem = cause
            continue
        yield from _still(image, request)
        return
    yield from _still(_as_far_as_it_goes(request, problem), request, CUT_OFF)


def _still(image: Image.Image, request: Request, cut_off: str | None = None) -> Iterator[Opened | Frame | str]:
    """A decoded picture, and the warning where it is `cut_off`."""
    pixels, unused_profile = colour.seen(_upright(image), colour.of_picture(image, request.fd))
    height, width, _ = pixels.shape
    told = tags.of_picture(image)
    said, truncated = declared.of_picture(image, told), cut_off is not None
    yield Opened("image", _codec(request), width, height, None, None, 1, told, truncated, said)
    yield from filter(None, (cut_off, unused_profile))
    yield Frame(0, 0.0, pixels)


def _open(request: Request) -> Image.Image:
    """The picture, not yet decoded, its size checked."""
    for image in _opened(request):
        return image
    raise DamagedMediaError(UNREADABLE)


def _opened(request: Request) -> Iterator[Image.Image]:
    """The picture, in each way in which Pillow opens it; the first has all that can be used."""
    for file in _files(request):
        try:
            image = Image.open(file, formats=[request.format])
        except tags.ODD:
            continue
        check_size(*image.size, request.max_pixels)
        yield image


def _files(request: Request) -> Iterator[IO[bytes]]:
    """The file, in the ways in which it may be read, the whole first."""
    if request.format == "PNG":
        yield from pngs.readable(request.fd)
    elif request.format in heif.BRANDS:
        yield heif.readable(request.fd, request.format)
    else:
        os.lseek(request.fd, 0, os.SEEK_SET)
        yield os.fdopen(request.fd, "rb", closefd=False)


def _as_far_as_it_goes(request: Request, problem: Exception | None) -> Image.Image:
    """What can be decoded of a picture that is cut off."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    image = _open(request)
    try:
        image.load()
    except tags.ODD:
        raise DamagedMediaError(UNREADABLE) from problem
    if all(low == high for low, high in np.atleast_2d(image.getextrema())):
        raise DamagedMediaError("The picture is cut off before its first pixel. Send it again, whole.") from problem
    return image


def _upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF tag says; HEIC and AVIF are turned by their own decoders, which then reset or set the tag."""
    try:
        return ImageOps.exif_transpose(image)
    except tags.ODD:
        return image  # an unreadable tag turns nothing


def _codec(request: Request) -> str:
    return CODECS.get(request.format, request.format.lower())
