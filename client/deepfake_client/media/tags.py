"""What cameras and programs wrote into a file about it, under a few plain names. Where it was taken is not read out."""

import struct
import zlib
from collections.abc import Mapping
from contextlib import suppress
from encodings import utf_16_be, utf_16_le
from itertools import chain
from typing import TYPE_CHECKING, Any

from PIL.ExifTags import IFD, Base

from deepfake_client.media.generators import MAX_TEXT
from deepfake_client.media.provenance import MAX_READ, TAGS, one_line

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream
    from PIL import Image

LOADED_EARLY = (utf_16_be, utf_16_le)  # Python imports these when it decodes, which is too late: no file can be opened
CAMERA = (Base.Make, Base.Model)
EXIF = {  # of these the first that is there
    "lens": (Base.LensModel,),
    "software": (Base.Software,),
    "taken_at": (Base.DateTimeOriginal, Base.DateTimeDigitized),
    "artist": (Base.Artist,),
    "description": (Base.ImageDescription,),
    "comment": (Base.UserComment,),
}
PICTURE_TEXTS = {  # PNG's text chunks, and the comments of JPEG and GIF
    "software": ("Software",),
    "taken_at": ("Creation Time",),
    "artist": ("Author",),
    "description": ("Description", "Title"),
    "comment": ("Comment", "comment"),
    "generator": ("parameters", "prompt", "Dream", "sd-metadata", "invokeai_metadata"),  # of pictures made by networks
}
MAKES = ("com.apple.quicktime.make", "com.android.manufacturer", "make")
MODELS = ("com.apple.quicktime.model", "com.android.model", "model")
VIDEO_TEXTS = {
    "software": ("com.apple.quicktime.software", "software"),
    "encoder": ("encoder",),
    "handler": ("handler_name",),
    "taken_at": ("com.apple.quicktime.creationdate", "creation_time", "date"),
    "artist": ("com.apple.quicktime.author", "artist", "author"),
    "description": ("com.apple.quicktime.description", "description", "title"),
    "comment": ("comment",),
}
# What Pillow raises on odd tags, and on odd pictures.
ODD = (
    *(
        ArithmeticError,
        AttributeError,
        EOFError,
        LookupError,
        OSError,
        RuntimeError,
        SyntaxError,
        TypeError,
        ValueError,
    ),
    *(struct.error, zlib.error),
)
CHARACTER_CODES = {b"ASCII\0\0\0": "latin-1", b"\0" * 8: "latin-1", b"UNICODE\0": "utf-16"}  # of a UserComment


def of_picture(image: "Image.Image") -> dict[str, str]:
    """The tags of a picture: its EXIF, then its texts. What can't be read is left out."""
    exif = _exif(image)
    camera = _camera(*(_text(exif.get(key)) for key in CAMERA))
    return _plain({"camera": camera} | _first(PICTURE_TEXTS, image.info) | _first(EXIF, exif))


def texts_of_picture(image: "Image.Image") -> dict[str, str]:
    """The picture's own texts, and those of its EXIF by number, much longer than tags are."""
    own = {key: value for key, value in image.info.items() if isinstance(value, str) or key == "comment"}
    exif = {f"EXIF {int(key)}": value for key, value in _exif(image).items()}
    return {str(key): _text(value, MAX_TEXT) for key, value in (own | exif).items()}


def of_video(container: "InputContainer", stream: "VideoStream") -> dict[str, str]:
    """The tags of a clip: its container's, then those of the stream that is read."""
    found = {name.lower(): text for name, text in (stream.metadata | container.metadata).items()}
    make, model = (next((found[name] for name in names if name in found), "") for names in (MAKES, MODELS))
    return _plain({"camera": _camera(make, model)} | _first(VIDEO_TEXTS, found))


def _exif(image: "Image.Image") -> dict[int, Any]:
    """Those tags of EXIF that have a name here and can be read."""
    found: dict[int, Any] = {}
    for part in (image.getexif, lambda: image.getexif().get_ifd(IFD.Exif)):
        with suppress(*ODD):
            tags = part()
            for key in chain(CAMERA, *EXIF.values()):
                with suppress(*ODD):
                    found[key] = tags[key]
    return found


def _first(names: Mapping[str, tuple[Any, ...]], found: Mapping[Any, Any]) -> dict[str, str]:
    """Our name and the text of the first of its keys that has one."""
    texts = {name: next(filter(None, (_text(found.get(key)) for key in keys)), "") for name, keys in names.items()}
    return {name: text for name, text in texts.items() if text}


def _camera(make: str, model: str) -> str:
    """Model and make; many models begin with their make."""
    return model if model.lower().startswith(make.lower()) else f"{make} {model}"


def _text(value: Any, most: int = MAX_READ) -> str:
    """Of a text, or bytes that are one, the first `most` characters; empty for anything else."""
    if isinstance(value, bytes):
        code = CHARACTER_CODES.get(value[:8])
        value = value[8 if code else 0 :][: 2 * most]
        if code == "utf-16":  # it begins with no mark; most write it big-endian
            code = "utf-16-le" if value[1:2] == b"\0" else "utf-16-be"
        return value.decode(code or "utf-8", "replace")
    if not isinstance(value, str):
        return ""
    try:  # Pillow takes all bytes of EXIF for Latin-1; many write UTF-8
        return value[:most].encode("latin-1").decode()
    except UnicodeError:
        return value[:most]


def _plain(tags: dict[str, str]) -> dict[str, str]:
    """In the order of TAGS."""
    texts = {name: one_line(tags.get(name, "")) for name in TAGS}
    return {name: text for name, text in texts.items() if text}
