"""What a file is, by its first bytes. Its name is never asked."""

from dataclasses import dataclass
from typing import Literal

from deepfake_contract.errors import DamagedMediaError, UnsupportedMediaError

from deepfake_client.media import heif

HEAD_BYTES = heif.HEAD_BYTES  # enough for every signature below, too

PICTURE_FORMATS = ("JPEG", "PNG", "WebP", "GIF", "BMP", "HEIC", "AVIF")  # as people call them
VIDEO_FORMATS = ("MP4", "MOV", "MKV", "WebM", "AVI", "TS")
READ_HERE = f"Send a picture ({', '.join(PICTURE_FORMATS)}) or a video ({', '.join(VIDEO_FORMATS)})."

PICTURES = [  # signature at the start, container, Pillow's name
    (b"\xff\xd8\xff", "jpeg", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "png", "PNG"),
    (b"GIF87a", "gif", "GIF"),
    (b"GIF89a", "gif", "GIF"),
]
BRANDS = {  # major brand of an ISO media file that describes no picture where it begins: Pillow's name; else a video
    **{brand: name for name, brands in heif.BRANDS.items() for brand in brands},
    b"miaf": "HEIF",
}
HEIF_CONTAINERS = {"AVIF": "avif", "HEIF": "heic"}
QUICKTIME_ATOMS = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}  # what a MOV without `ftyp` begins with
VIDEOS = [  # signature at the start, container, FFmpeg's name
    (b"FLV\x01", "flv", "flv"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf", "asf"),
    (b"OggS", "ogg", "ogg"),
    (b"\x00\x00\x01\xba", "mpeg", "mpeg"),
]
TS_PACKETS = ((188, 0), (192, 4))  # length, and the bytes before the sync byte
TS_SYNCS_AT_START, TS_SYNCS_LATER = 3, 8  # so many in a row are no accident
SOUND = [b"ID3", b"fLaC", b"#!AMR", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xf1", b"\xff\xf9"]
NOT_READ = [  # what people send by mistake, or on purpose
    (b"#EXTM3U", "a playlist, which names other files"),
    (b"ffconcat", "a concat script, which names other files"),
    (b"v=0", "a session description, which names addresses"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"8BPS", "a Photoshop document"),
    (b"II*\x00", "a TIFF or raw picture"),
    (b"MM\x00*", "a TIFF or raw picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
]


@dataclass(frozen=True)
class Content:
    """What was recognised: `container` is our name for it, `format` the reader's (Pillow for a picture, FFmpeg for a
    video). An animated picture is still a `picture` here: only its reader can tell."""

    container: str
    reader: Literal["picture", "video"]
    format: str


def sniff(head: bytes) -> Content:
    """What begins with these bytes; `head` is the first HEAD_BYTES of the file, or all of a smaller one.

    Raises UnsupportedMediaError, which says what it is instead, and DamagedMediaError for nothing at all or sound.
    """
    if not head:
        raise DamagedMediaError("The file is empty. Send it again; it may have been cut off on its way.")
    content = _picture(head) or _video(head)
    if content is not None:
        return content
    if any(head.startswith(signature) for signature in SOUND) or _riff(head, b"WAVE"):
        raise DamagedMediaError("The file holds only sound, so there is no picture to analyse.")
    raise UnsupportedMediaError(
        f"The file is {_what_else(head)}, not a picture or video that is read here. {READ_HERE}"
    )


def _picture(head: bytes) -> Content | None:
    for signature, container, name in PICTURES:
        if head.startswith(signature):
            return Content(container, "picture", name)
    if _riff(head, b"WEBP"):
        return Content("webp", "picture", "WEBP")
    if head[4:8] == b"ftyp" and (coding := _heif(head)):
        return Content(HEIF_CONTAINERS[coding], "picture", coding)
    # Two letters are a weak signature: the size of the header that follows must be one that exists.
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in (12, 40, 52, 56, 64, 108, 124):
        return Content("bmp", "picture", "BMP")
    return None


def _heif(head: bytes) -> str | None:
    """Pillow's name for a picture in an ISO media file; None for a film."""
    return heif.coding(head) or (None if heif.is_a_clip(head) else BRANDS.get(head[8:12]))


def _video(head: bytes) -> Content | None:
    if head[4:8] == b"ftyp":
        return Content("mov" if head[8:12] == b"qt  " else "mp4", "video", "mov")
    if head[4:8] in QUICKTIME_ATOMS:
        return Content("mov", "video", "mov")
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return Content("webm" if b"webm" in head[:64] else "mkv", "video", "matroska")
    if _riff(head, b"AVI "):
        return Content("avi", "video", "avi")
    if transport_packets(head):
        return Content("ts", "video", "mpegts")
    for signature, container, name in VIDEOS:
        if head.startswith(signature):
            return Content(container, "video", name)
    return None


def transport_packets(head: bytes) -> tuple[int, int] | None:
    """Where the first whole packet of a transport stream begins, and the length of all, in bytes; None if it is none.

    A packet begins with 0x47 (ISO/IEC 13818-1, 2.4.3.2); on discs four bytes of time come before each. A recording may
    begin anywhere in one.
    """
    for length, before in TS_PACKETS:
        for first in (before, *range(length)):
            syncs = head[first::length]
            enough = TS_SYNCS_AT_START if first == before else TS_SYNCS_LATER
            if len(syncs) >= enough and set(syncs) == {0x47}:
                return (first - before) % length, length
    return None


def _riff(head: bytes, kind: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == kind


def _what_else(head: bytes) -> str:
    for signature, name in NOT_READ:
        if head.startswith(signature):
            return name
    # A multi-byte character may be cut in two at the end of the head, so only its beginning must be text.
    text = head[:-4] if len(head) == HEAD_BYTES else head
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "of a kind that is not known here"
    return "text" if all(each.isprintable() or each in "\t\r\n\f" for each in decoded) else "of a kind not known here"
