"""Whether a video file is cut off, by the sizes that its container declares."""

import os

from deepfake_client.media.sniff import HEAD_BYTES, transport_packets

MAX_BOXES = 100_000  # of a fragmented MP4; after so many it is taken for whole
SEGMENT = b"\x18\x53\x80\x67"  # Matroska's element that holds all others


def is_cut_off(descriptor: int, form: str) -> bool:
    """Whether the file ends before what it declares; False where its container (FFmpeg's name) declares nothing."""
    size = os.fstat(descriptor).st_size
    match form:
        case "mov":
            return _last_box_end(descriptor, size) > size
        case "matroska":
            return _segment_end(os.pread(descriptor, 4096, 0)) > size
        case "avi":
            return 8 + int.from_bytes(os.pread(descriptor, 4, 4), "little") > size
        case "mpegts":  # no length is declared, but its packets are whole
            first, length = transport_packets(os.pread(descriptor, HEAD_BYTES, 0)) or (0, 1)
            return (size - first) % length > 0
    return False


def _last_box_end(descriptor: int, size: int) -> int:
    """Where the last box at the top ends (ISO/IEC 14496-12, 4.2)."""
    at = 0
    for _ in range(MAX_BOXES):
        head = os.pread(descriptor, 16, at)
        length = int.from_bytes(head[:4], "big")
        if length == 1:  # the length follows, in eight bytes
            length = int.from_bytes(head[8:16], "big")
        if length == 0:  # to the end of the file, whatever that is
            return size
        at += max(length, 8)
        if at >= size:
            return at
    return size


def _segment_end(head: bytes) -> int:
    """Where Matroska's segment ends; 0 where its length was not known when it was begun (RFC 8794, 4 and 6.2)."""
    at = head.find(SEGMENT) + len(SEGMENT)
    if at < len(SEGMENT) or at >= len(head) or head[at] == 0:
        return 0
    octets = 9 - head[at].bit_length()
    value = int.from_bytes(head[at : at + octets], "big") & ((1 << 7 * octets) - 1)
    unknown = value == (1 << 7 * octets) - 1
    return 0 if unknown else at + octets + value
