"""What a still says of its colours in ITU-T H.273's numbers: PNG's cICP, HEIF's and AVIF's colr, an ICC profile's."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

MOST_READ = 4 << 20  # of a file's boxes, bytes: tables for thousands of tiles fit
MOST_CHUNKS = 10_000  # of a PNG before its pixels


@dataclass(frozen=True)
class CodedColour:
    """Colour primaries and transfer characteristics."""

    primaries: int
    transfer: int


def of_png(fd: int) -> CodedColour | None:
    """The cICP chunk (PNG, third edition, 11.3.2.6), which stands before the pixels."""
    at = 8
    for _ in range(MOST_CHUNKS):
        head = os.pread(fd, 12, at)
        if len(head) < 12 or head[4:8] == b"IDAT":
            return None
        if head[4:8] == b"cICP":
            return CodedColour(head[8], head[9])
        at += 12 + int.from_bytes(head[:4], "big")
    return None


def of_profile(icc: bytes) -> CodedColour | None:
    """The cicp tag of an ICC profile (ICC.1:2022, 9.2.17), which HDR profiles have."""
    for at in range(132, min(len(icc), 132 + 12 * 100), 12):
        if icc[at : at + 4] == b"cicp":
            start = int.from_bytes(icc[at + 4 : at + 8], "big")
            content = icc[start : start + 12]
            return CodedColour(content[8], content[9]) if content[:4] == b"cicp" and len(content) == 12 else None
    return None


def of_heif(fd: int) -> CodedColour | None:
    """The colr box of a HEIF's or AVIF's primary picture (ISO/IEC 23008-12); None where it has none."""
    try:
        meta = next((body[4:] for kind, body in _file_boxes(fd) if kind == b"meta"), b"")
        boxes = dict(_boxes(meta))
        primary = _primary(boxes[b"pitm"])
        parts = dict(_boxes(boxes[b"iprp"]))
        properties = list(_boxes(parts[b"ipco"]))
        for index in _associated(parts[b"ipma"], primary):
            kind, body = properties[index - 1] if 0 < index <= len(properties) else (b"", b"")
            if kind == b"colr" and body[:4] == b"nclx":
                return CodedColour(*struct.unpack_from(">HH", body, 4))
    except (LookupError, struct.error):
        pass
    return None


def _file_boxes(fd: int) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of the file's own boxes up to `meta`; content is read of that one alone."""
    at = 0
    while len(head := os.pread(fd, 16, at)) >= 8:
        size, kind, start = int.from_bytes(head[:4], "big"), head[4:8], 8
        if size == 1:
            size, start = int.from_bytes(head[8:], "big"), 16
        if kind == b"meta":
            yield kind, os.pread(fd, min(size - start, MOST_READ) if size else MOST_READ, at + start)
            return
        if size < start:
            return
        at += size


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of the boxes in a box."""
    at = 0
    while len(data) - at >= 8:
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < 8:
            return
        yield kind, data[at + 8 : at + size]
        at += size


def _primary(pitm: bytes) -> int:
    return struct.unpack_from(">H" if pitm[:1] == b"\0" else ">I", pitm, 4)[0]


def _associated(ipma: bytes, item: int) -> list[int]:
    """Numbers, from 1, of the properties of an item."""
    version, wide = ipma[0], ipma[3] & 1 if len(ipma) > 3 else 0
    (count,) = struct.unpack_from(">I", ipma, 4)
    at = 8
    for _ in range(count):
        (number,) = struct.unpack_from(">I" if version else ">H", ipma, at)
        at += 4 if version else 2
        (length,) = struct.unpack_from(">B", ipma, at)
        indices = struct.unpack_from(f">{length}{'H' if wide else 'B'}", ipma, at + 1)
        at += 1 + length * (2 if wide else 1)
        if number == item:
            return [index & (0x7FFF if wide else 0x7F) for index in indices]
    return []
