"""What XMP says of how a file came about. It is XML of strangers: read without entities, and only a little of it.

ISO 16684-1; IPTC Photo Metadata Standard 2023.1 (DigitalSourceType); XMP Specification, part 3 (its place in an MP4).
"""

import os
from collections.abc import Iterator
from xml.parsers import expat

MAX_BYTES = 1 << 20  # of one packet; most have some ten thousand
MAX_TEXT = 4000  # characters of one value
MAX_BOXES = 100_000  # of a fragmented MP4
SOURCE_TYPE = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/ DigitalSourceType"
TOOL, CREATED = (f"http://ns.adobe.com/xap/1.0/ {name}" for name in ("CreatorTool", "CreateDate"))
AIGC = "http://www.tc260.org.cn/ns/AIGC/1.0/ AIGC"  # TC260-PG-20258A
RESOURCE = "http://www.w3.org/1999/02/22-rdf-syntax-ns# resource"
WANTED = (SOURCE_TYPE, TOOL, CREATED, AIGC)
UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


def values(packet: object) -> dict[str, str]:
    """The WANTED values of a packet; none of one that is damaged, longer than MAX_BYTES, or declares a DOCTYPE."""
    data = packet.encode("utf-8", "replace") if isinstance(packet, str) else packet
    if not isinstance(data, bytes) or len(data) > MAX_BYTES:
        return {}
    reader = _Reader()
    try:
        reader.parser.Parse(data.strip(b"\0 \r\n\t"), True)
    except (expat.ExpatError, ValueError):
        return {}
    return {name: text.strip() for name, text in reader.found.items() if text.strip()}


class _Reader:
    """Collects values that stand in attributes, as text in an element, or as an element's rdf:resource."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._open = ""
        # An encoding that the packet names would be looked up among Python's modules, when none can be loaded any more.
        self.parser = expat.ParserCreate(encoding="utf-8", namespace_separator=" ")
        self.parser.StartDoctypeDeclHandler = _refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._open = name if name in WANTED else ""
        for each in WANTED:
            self._add(each, attributes.get(each, ""))
        self._add(self._open, attributes.get(RESOURCE, ""))

    def _end(self, name: str) -> None:
        self._open = ""

    def _text(self, text: str) -> None:
        self._add(self._open, text)

    def _add(self, name: str, text: str) -> None:
        if name and len(self.found.get(name, "")) < MAX_TEXT:
            self.found[name] = self.found.get(name, "") + text[:MAX_TEXT]


def _refuse(*_: object) -> None:
    raise ValueError("a DOCTYPE, which no XMP has")


def of_mp4(descriptor: int) -> bytes:
    """The packet in an MP4 or MOV file: in a box of its own at the top, or among the film's details; may be empty."""
    end = os.fstat(descriptor).st_size
    for kind, start, stop in _boxes(descriptor, 0, end):
        if kind == b"uuid" and os.pread(descriptor, 16, start) == UUID:
            return _bytes(descriptor, start + 16, stop)
        if kind == b"moov":
            for inner, first, last in _boxes(descriptor, start, stop):
                if inner == b"udta":
                    for innermost, at, to in _boxes(descriptor, first, last):
                        if innermost == b"XMP_":
                            return _bytes(descriptor, at, to)
    return b""


def _bytes(descriptor: int, start: int, stop: int) -> bytes:
    return os.pread(descriptor, stop - start, start) if stop - start <= MAX_BYTES else b""


def _boxes(descriptor: int, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each box's content between two places (ISO/IEC 14496-12, 4.2)."""
    for _ in range(MAX_BOXES):
        head = os.pread(descriptor, min(16, end - start), start) if start < end else b""
        if len(head) < 8:
            return
        size, content = int.from_bytes(head[:4], "big"), 8
        if size == 1:  # the length follows, in eight bytes
            size, content = int.from_bytes(head[8:16], "big"), 16
        stop = min(end, start + max(size, content)) if size else end
        yield head[4:8], min(start + content, stop), stop
        start = stop
