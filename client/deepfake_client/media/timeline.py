"""When each frame of a clip is shown, learnt from its packets without decoding any; and what to decode for some."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from av.container import InputContainer
from av.error import FFmpegError, MemoryError
from av.packet import Packet
from av.video.stream import VideoStream

from deepfake_client.errors import DamagedMediaError, TooLargeError

CUT_OFF = "The clip is cut off or damaged; what can be decoded was analysed."


@dataclass
class Timeline:
    """`times`: when each frame is shown, seconds, ascending; `end`: when the last one goes.

    `packets[i]` is the number, in the order of decoding, of the packet that holds the i-th frame shown. `keyframes`
    are the packets that decoding can begin with, each with the frame it shows. Both are empty where the container
    does not store them reliably: then frames are counted as they come out.
    """

    times: list[float]
    end: float
    packets: list[int] = field(default_factory=list)
    keyframes: list[tuple[int, int]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def runs(self, chosen: Sequence[int]) -> list[tuple[int, int]]:
        """The stretches of packets, first and last, that hold all that the chosen frames are decoded from."""
        runs: list[tuple[int, int]] = []
        for last, index in sorted((self.packets[index], index) for index in chosen):
            # A frame shown before its keyframe is made from the one before that, too.
            before = self.keyframes[: bisect_right(self.keyframes, (last, len(self.times)))]
            first = next((packet for packet, shown in reversed(before) if shown <= index), 0)
            while runs and first <= runs[-1][1] + 1:
                first = min(first, runs.pop()[0])
            runs.append((first, last))
        return runs


def packets(container: InputContainer, stream: VideoStream) -> Iterator[tuple[int, Packet]]:
    """The stream's packets that hold something, numbered from 0."""
    return enumerate(packet for packet in container.demux(stream) if packet.size)


def scan(
    container: InputContainer, stream: VideoStream, *, stores_times: bool, cut_off: bool, max_duration_s: float
) -> Timeline:
    """Reads through all packets. `stores_times`: the container is one whose times and keyframes can be relied on;
    `cut_off`: the file is known to end too early."""
    shown: list[tuple[int, int]] = []  # time in the stream's unit, packet
    keys: set[int] = set()
    last_end = 0
    try:
        for number, packet in packets(container, stream):
            if packet.has_sidedata("encryption_info"):
                raise DamagedMediaError("The clip is encrypted, so its frames can't be seen. Send it unprotected.")
            cut_off = cut_off or packet.is_corrupt
            when = packet.pts if packet.pts is not None else packet.dts
            stores_times = stores_times and packet.pts is not None
            if packet.is_discard or when is None:  # cut away by an edit list: decoded, never shown
                continue
            shown.append((when, number))
            last_end = max(last_end, when + (packet.duration or 0))
            if packet.is_keyframe:
                keys.add(number)
    except MemoryError:
        raise
    except FFmpegError:
        cut_off = True
    if not shown:
        raise DamagedMediaError("The clip has no frames. It may have been cut off on its way; send it again.")
    shown.sort()
    unit = float(stream.time_base or 1 / 90000)
    start = shown[0][0] * unit
    if stores_times and container.start_time is not None:  # where players begin; sound may come first
        start = min(start, container.start_time / 1e6)
    times = [when * unit - start for when, _ in shown]
    gap = (times[-1] - times[0]) / max(len(times) - 1, 1) or 1 / float(stream.average_rate or 25)
    end = last_end * unit - start
    timeline = Timeline(times, end if end > times[-1] else times[-1] + gap)
    if timeline.end > max_duration_s:
        raise TooLargeError(
            f"The clip lasts {timeline.end:.0f} seconds; the most is {max_duration_s:g} (DEEPFAKE_MAX_DURATION_S)."
        )
    if stores_times and len({when for when, _ in shown}) == len(shown):
        timeline.packets = [packet for _, packet in shown]
        timeline.keyframes = sorted((packet, index) for index, (_, packet) in enumerate(shown) if packet in keys)
    if cut_off:
        timeline.warnings.append(CUT_OFF)
    return timeline
