"""Which coding the pictures of a HEIF file have, by its items: brands say what a reader must know, not what is there.

Boxes: ISO/IEC 14496-12, 4.2 and 8.11; brands: ISO/IEC 23008-12, 10, and 23000-22 (MIAF), 7.
"""

import os
from collections.abc import Iterator
from typing import IO

from deepfake_client.media.pieces import joined

NAMES = {b"hvc1": "HEIF", b"av01": "AVIF"}  # kind of an item: Pillow's name (pillow-heif adds HEIF)
BRANDS = {  # that the readers take, first the usual one
    "HEIF": (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"),
    "AVIF": (b"avif", b"avis"),
}
MOVING = {"HEIF": b"heic", "AVIF": b"avis"}  # where a film is in it, too
HEAD_BYTES = 4096
BRAND_AT, BRAND_END = 8, 12
FULL = 4  # bytes of version and flags at the start of some boxes
HANDLER_AT = FULL + 4  # in `hdlr`


def coding(head: bytes) -> str | None:
    """Pillow's name for the file whose first bytes these are; None where no picture in it is described in them."""
    meta = next((data for kind, data in _boxes(head) if kind == b"meta"), b"")[FULL:]
    boxes = dict(_boxes(meta))
    if boxes.get(b"hdlr", b"")[HANDLER_AT : HANDLER_AT + 4] != b"pict":
        return None
    return next((NAMES[kind] for kind in _item_kinds(boxes.get(b"iinf", b"")) if kind in NAMES), None)


def readable(descriptor: int, name: str) -> IO[bytes]:
    """The file, under a brand by which its reader knows it."""
    if os.pread(descriptor, BRAND_END - BRAND_AT, BRAND_AT) in BRANDS[name]:
        os.lseek(descriptor, 0, os.SEEK_SET)
        return os.fdopen(descriptor, "rb", closefd=False)
    end = os.fstat(descriptor).st_size
    moves = any(kind == b"moov" for kind, _ in _boxes(os.pread(descriptor, HEAD_BYTES, 0)))
    return joined(descriptor, [(0, BRAND_AT), MOVING[name] if moves else BRANDS[name][0], (BRAND_END, end)])


def is_a_clip(head: bytes) -> bool:
    """Whether a film is described in the first bytes, and no picture before it."""
    kinds = [kind for kind, _ in _boxes(head)]
    return b"moov" in kinds and b"meta" not in kinds


def _item_kinds(items: bytes) -> Iterator[bytes]:
    """Of each entry of `iinf`, as far as it is there."""
    count = 2 if items[:1] == b"\0" else 4
    for kind, entry in _boxes(items[FULL + count :]):
        if kind == b"infe" and entry[:1] in (b"\2", b"\3"):  # older ones tell a MIME type only
            identity = 2 if entry[0] == 2 else 4
            yield entry[FULL + identity + 2 :][:4]


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each box, the last one perhaps cut off."""
    at = 0
    while at + 8 <= len(data):
        size, start = int.from_bytes(data[at : at + 4], "big"), 8
        if size == 1:  # the length follows
            size, start = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        size = size or len(data) - at  # to the end
        yield data[at + 4 : at + 8], data[at + start : at + max(size, start)]
        at += max(size, start)
