"""An open file with parts left out or replaced, as a file."""

import io
import os
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import IO

Span = tuple[int, int]  # of the file: from, to


def joined(descriptor: int, pieces: Sequence[Span | bytes]) -> IO[bytes]:
    """A file for reading that holds these pieces, one after the other; the descriptor's own position is not used."""
    return io.BufferedReader(_Pieces(descriptor, pieces))


class _Pieces(io.RawIOBase):
    def __init__(self, descriptor: int, pieces: Sequence[Span | bytes]):
        self._descriptor = descriptor
        self._pieces = [each for each in pieces if _length(each)]
        self._starts = [0, *accumulate(map(_length, self._pieces))]
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = max(0, offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._starts[-1]}[whence])
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        number = bisect_right(self._starts, self._at) - 1
        if number >= len(self._pieces):
            return 0
        piece, offset = self._pieces[number], self._at - self._starts[number]
        if isinstance(piece, bytes):
            data = piece[offset : offset + len(buffer)]
        else:
            first, last = piece
            data = os.pread(self._descriptor, min(len(buffer), last - first - offset), first + offset)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _length(piece: Span | bytes) -> int:
    return len(piece) if isinstance(piece, bytes) else max(0, piece[1] - piece[0])
