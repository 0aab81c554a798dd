"""Brings a still's colours to sRGB: by its ICC profile, or by the numbers it says them in."""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms

from deepfake_client.media import coded_colour, hdr, icc
from deepfake_client.media.coded_colour import CodedColour
from deepfake_client.media.pixels import eight_bits, to_rgb
from deepfake_client.media.primaries import BT709, CHROMATICITIES, Chromaticities

NOT_USED = "The picture's colour profile is damaged or not for such a picture; its colours were taken as sRGB."
WORKED_IN = {  # a profile's colour space and a picture's mode: the mode that LittleCMS is given
    ("GRAY", "L"): "L",
    ("GRAY", "LA"): "L",
    **{("RGB", mode): "RGB" for mode in ("L", "RGB")},
    **{("RGB", mode): "RGBA" for mode in ("LA", "RGBA")},
    ("CMYK", "CMYK"): "CMYK",
}
UNNOTICED = 2  # levels: a profile that moves no colour by more is sRGB written differently, and moves none here
GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}  # transfer characteristics of H.273; the other SDR ones are shown as sRGB is
SRGB_GAMMA, GAMMA_CLOSE = 1 / 2.2, 0.02  # what PNG's gAMA says of an sRGB picture, about
LEAST_GAMMA = 0.1  # what is further from 1 is damage
BAND_ROWS, BANDS_AT_ONCE = 512, 2  # of a large picture


@dataclass(frozen=True)
class Colour:
    """How a picture's numbers are meant: HDR by `hdr`, else by the ICC profile `icc`, else they are sRGB."""

    hdr: CodedColour | None = None
    icc: bytes = b""


SRGB = Colour()


def of_picture(image: Image.Image, fd: int) -> Colour:
    """What the opened picture and its file say; a coded HDR curve counts most, then a profile, then other numbers."""
    profile = image.info.get("icc_profile") or b""
    coded = {"PNG": coded_colour.of_png, "HEIF": coded_colour.of_heif, "AVIF": coded_colour.of_heif}
    said = coded[image.format](fd) if image.format in coded else None
    for each in (said, coded_colour.of_profile(profile)):
        if each and each.transfer in (hdr.PQ, hdr.HLG):
            return Colour(hdr=each)
    if said and said.primaries in CHROMATICITIES and (image.format == "PNG" or not profile):
        return _numbered(CHROMATICITIES[said.primaries], GAMMAS.get(said.transfer))
    if profile or image.format != "PNG" or "srgb" in image.info:
        return Colour(icc=profile)
    return _of_png_gamma(image)


def _numbered(colours: Chromaticities, gamma: float | None) -> Colour:
    """These primaries and this gamma, None for sRGB's curve; sRGB where they make no gamut."""
    try:
        return Colour(icc=icc.profile(colours, gamma))
    except ValueError:
        return SRGB


def _of_png_gamma(image: Image.Image) -> Colour:
    """What gAMA and cHRM say; primaries alone say nothing (PNG, third edition, 13.13)."""
    gamma = image.info.get("gamma") or 0
    if not LEAST_GAMMA <= gamma <= 1 / LEAST_GAMMA:
        return SRGB
    white_red_green_blue = image.info.get("chromaticity")
    colours = CHROMATICITIES[BT709]
    if white_red_green_blue:
        colours = tuple(zip(white_red_green_blue[::2], white_red_green_blue[1::2], strict=True))
    return _numbered(colours, None if abs(gamma - SRGB_GAMMA) < GAMMA_CLOSE else 1 / gamma)


def seen(image: Image.Image, colour: Colour) -> tuple[np.ndarray, str | None]:
    """The picture as a standard display shows it, uint8 [H, W, 3] in sRGB; a warning where its profile is of no use.

    What shows through transparent parts is white.
    """
    if colour.hdr:
        signal = to_rgb(image).astype(np.uint16) * 257
        return hdr.to_sdr(signal, colour.hdr.transfer, colour.hdr.primaries), None
    converted, warning = _to_srgb(image, colour)
    return to_rgb(converted), warning


def _to_srgb(image: Image.Image, colour: Colour) -> tuple[Image.Image, str | None]:
    if not colour.icc:
        return image, None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(colour.icc))
        plain = _plain(image)
        mode = WORKED_IN.get((source.profile.xcolor_space.strip(), plain.mode))
        transform = _transform(source, mode) if mode else None
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image, NOT_USED
    if not mode:
        return image, NOT_USED
    return (_applied(transform, plain) if transform else image), None


def _plain(image: Image.Image) -> Image.Image:
    """In one of the modes L, LA, RGB, RGBA and CMYK."""
    if image.mode.startswith("I"):
        image = Image.fromarray(eight_bits(image))
    grey = image.mode in ("1", "L", "LA")
    if image.has_transparency_data:
        return image.convert("LA" if grey else "RGBA")
    if image.mode in ("L", "RGB", "CMYK"):
        return image
    return image.convert("L" if grey else "RGB")


def _transform(source: ImageCms.ImageCmsProfile, mode: str) -> ImageCms.ImageCmsTransform | None:
    """LittleCMS's way from the profile to sRGB; None where there is none to go."""
    output = "RGBA" if mode == "RGBA" else "RGB"
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
    if mode == "L":
        flags |= ImageCms.Flags.NOOPTIMIZE  # which is coarse for a single curve, and asked for 256 values only
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, output, intent, flags)
    if mode == "CMYK":
        return transform
    probe = _probe(mode)
    moved = np.asarray(transform.apply(probe)).astype(int) - np.asarray(probe.convert(output))
    return transform if np.abs(moved).max() > UNNOTICED else None


def _probe(mode: str) -> Image.Image:
    """A picture of this mode with colours from all over it."""
    steps = np.linspace(0, 255, 17).round().astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(17, -1, 3)
    return Image.fromarray(grid).convert(mode)


def _applied(transform: ImageCms.ImageCmsTransform, image: Image.Image) -> Image.Image:
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    if transform.input_mode == "L":
        greys = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
        result = image.getchannel("L").point(np.asarray(transform.apply(greys))[0, :, 0].tolist())
    else:
        if image.mode != transform.input_mode:  # grey under a profile for colours
            image = image.convert(transform.input_mode)
        result = _in_bands(transform, image)
    if alpha:
        result.putalpha(alpha)
    return result


def _in_bands(transform: ImageCms.ImageCmsTransform, image: Image.Image) -> Image.Image:
    """LittleCMS works in one thread, and would take a large picture a second."""
    result = Image.new(transform.output_mode, image.size)

    def convert(top: int) -> tuple[int, Image.Image]:
        return top, transform.apply(image.crop((0, top, image.width, min(top + BAND_ROWS, image.height))))

    with ThreadPoolExecutor(BANDS_AT_ONCE) as pool:
        for top, band in pool.map(convert, range(0, image.height, BAND_ROWS)):
            result.paste(band, (0, top))
    return result
