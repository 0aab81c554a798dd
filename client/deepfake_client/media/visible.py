"""Whether a packet shows a frame; VP8 and VP9 have some that later frames are made from and that nobody sees."""

from av.packet import Packet

SUPERFRAME, SUPERFRAME_MASK = 0xC0, 0xE0  # of a packet's last byte, where several VP9 frames share it


def shows(codec: str, packet: Packet) -> bool:
    """By the first bits of its frame: RFC 6386, 9.1; VP9 bitstream specification, 6.2 and annex B."""
    if codec not in ("vp8", "vp9"):
        return True
    data = memoryview(packet)
    if codec == "vp8":
        return bool(data[0] & 0x10)
    if data[-1] & SUPERFRAME_MASK == SUPERFRAME:  # of several frames one is shown
        return True
    bits = data[0] if data[0] & 0x30 == 0x30 else data[0] >> 1  # profile 3 has one bit more before what follows
    shows_an_earlier_one, shows_this_one = bits & 4, bits & 1
    return bool(shows_an_earlier_one or shows_this_one)
