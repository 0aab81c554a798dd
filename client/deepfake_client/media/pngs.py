"""A PNG as Pillow can read it: without those extras that browsers pass over and Pillow refuses the picture for."""

import os
import zlib
from collections.abc import Iterator
from typing import IO

from PIL import PngImagePlugin

from deepfake_client.media.pieces import Span, joined

SIGNATURE_BYTES = 8
EXTRA = 0x20  # a bit of a kind's first letter: small, so a picture can be shown without it (PNG, third edition, 5.4)
MAX_EXTRA_BYTES = 8 << 20  # unpacked: colour profiles of printers have a few million
MAX_TEXT_BYTES = 64 << 20  # of all texts together, as Pillow has it
MAX_CHUNKS = 1 << 20  # looked through; a writer's usual 8 KiB a chunk makes a file far over our limit
ANIMATED = {b"acTL", b"fcTL", b"fdAT"}  # left alone: they make sense only all together
PACKED = {b"zTXt", b"iCCP"}
BEFORE_PIXELS = {b"cHRM", b"gAMA", b"iCCP", b"pHYs", b"sRGB", b"tRNS"}  # later they mean nothing (PNG, 5.6)
NEEDED = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}

PngImagePlugin.MAX_TEXT_CHUNK = MAX_EXTRA_BYTES


def readable(descriptor: int) -> Iterator[IO[bytes]]:
    """The file, from where damaged and oversized extras are left out; then, in case that one is refused, without any.

    Nothing but an extra is changed. What an extra unpacks to is bounded, and not kept.
    """
    chunks = list(_chunks(descriptor))
    end = os.fstat(descriptor).st_size
    kept, texts, pixels = [], 0, False
    for kind, span in chunks:
        pixels |= kind == b"IDAT"
        length = _harmless(descriptor, kind, span) if kind[0] & EXTRA and kind not in ANIMATED else 0
        if length is None or (pixels and kind in BEFORE_PIXELS) or texts + length > MAX_TEXT_BYTES:
            continue
        texts += length
        kept.append(span)
    last = chunks[-1][1][1] if chunks else SIGNATURE_BYTES
    begin, rest = (0, SIGNATURE_BYTES), (last, end)
    if len(kept) == len(chunks):
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield os.fdopen(descriptor, "rb", closefd=False)
    else:
        yield joined(descriptor, [begin, *kept, rest])
    needed = [span for kind, span in chunks if kind in NEEDED]
    yield joined(descriptor, [begin, *needed, rest])


def _chunks(descriptor: int) -> Iterator[tuple[bytes, Span]]:
    """Kind and place of each chunk that is whole (PNG, 5.3)."""
    at, end = SIGNATURE_BYTES, os.fstat(descriptor).st_size
    for _ in range(MAX_CHUNKS):
        head = os.pread(descriptor, 8, at)
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if len(head) < 8 or not kind.isalpha() or at + 12 + length > end:
            return
        yield kind, (at, at + 12 + length)
        at += 12 + length


def _harmless(descriptor: int, kind: bytes, span: Span) -> int | None:
    """How long an extra is, unpacked; None where it is damaged or too long."""
    first, last = span
    if last - first > MAX_EXTRA_BYTES:
        return None
    data = os.pread(descriptor, last - first, first)
    if zlib.crc32(data[4:-4]) != int.from_bytes(data[-4:], "big"):
        return None
    data = data[8:-4]
    _, _, after = data.partition(b"\0")
    if kind in PACKED:  # by the one way that there is, 0
        return _unpacked_bytes(after[1:]) if after[:1] == b"\0" else None
    if kind == b"iTXt" and after[:1] == b"\1":  # two more names, then the packed text
        return _unpacked_bytes(after[2:].split(b"\0", 2)[-1]) if after[1:2] == b"\0" else None
    return len(data)


def _unpacked_bytes(packed: bytes) -> int | None:
    """How much comes out, None if more than MAX_EXTRA_BYTES; what is not packed at all harms nothing."""
    unpacker, length = zlib.decompressobj(), 0
    try:
        while packed and length <= MAX_EXTRA_BYTES:
            length += len(unpacker.decompress(packed, 1 << 16))
            packed = unpacker.unconsumed_tail
    except zlib.error:
        return 0
    return length if length <= MAX_EXTRA_BYTES else None
