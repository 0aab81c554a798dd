"""When each frame of a clip is shown, learnt from its packets without decoding any; and what to decode for some."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from statistics import median

from av.container import InputContainer
from av.error import FFmpegError, MemoryError
from av.packet import Packet
from av.video.stream import VideoStream
from deepfake_contract.errors import DamagedMediaError, TooLargeError

from deepfake_client.media.visible import shows

CUT_OFF = "The clip is cut off or damaged; what can be decoded was analysed."
NO_TIMES = (
    "The times in the clip do not tell when its frames are shown: they are all the same or begin again. "
    "The frames were taken to follow each other evenly, so the times given here may be wrong."
)
LATER = "The clip begins in the middle of a recording: its first {seconds:.1f} seconds can't be decoded."
BACK_S = 0.5  # times that go back by more, in the order of decoding, begin again


@dataclass
class Timeline:
    """`times`: when each frame is shown, seconds, ascending; `end`: when the last one goes.

    `packets[i]` is the number, in the order of decoding, of the packet that holds the i-th frame shown. `keyframes`
    are the packets that decoding can begin with, each with the frame it shows. Both are empty where the container
    does not store them reliably: then frames are counted as they come out. `rate` is None where the stream's holds.
    """

    times: list[float]
    end: float
    packets: list[int] = field(default_factory=list)
    keyframes: list[tuple[int, int]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    rate: float | None = None

    def runs(self, chosen: Sequence[int], earlier: int = 0) -> list[tuple[int, int]]:
        """The stretches of packets, first and last, that hold all that the chosen frames are decoded from; each from
        so many keyframes `earlier` than the nearest."""
        runs: list[tuple[int, int]] = []
        for last, index in sorted((self.packets[index], index) for index in chosen):
            # A frame shown before its keyframe is made from the one before that, too.
            before = self.keyframes[: bisect_right(self.keyframes, (last, len(self.times)))]
            nearest = (packet for packet, shown in reversed(before) if shown <= index)
            first = next(islice(nearest, earlier, None), 0)
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
    seen = _read(container, stream)
    if not seen.shown:
        if cut_off:
            raise DamagedMediaError("The file is cut off before its first frame. Send it again, whole.")
        raise DamagedMediaError("The clip has no frames. It may have been cut off on its way; send it again.")
    timeline = _timed(seen, container, stream, stores_times and seen.all_timed) or _counted(seen, stream)
    if timeline.end > max_duration_s:
        raise TooLargeError(
            f"The clip lasts {timeline.end:.0f} seconds; the most is {max_duration_s:g} (DEEPFAKE_MAX_DURATION_S)."
        )
    # Where recordings are joined, packets seem to be missing.
    if cut_off or seen.damaged or (seen.corrupt and not seen.begins_again):
        timeline.warnings.append(CUT_OFF)
    return timeline


@dataclass
class _Seen:
    """What the packets say: `shown` is the time, in the stream's unit, and the number of each that shows a frame."""

    shown: list[tuple[int, int]] = field(default_factory=list)
    durations: list[int] = field(default_factory=list)  # of those; 0 where it is not said
    keys: set[int] = field(default_factory=set)
    last_end: int = 0
    count: int = 0  # of those that show a frame, whether or not they say when
    all_timed: bool = True
    begins_again: bool = False
    corrupt: bool = False
    damaged: bool = False


def _read(container: InputContainer, stream: VideoStream) -> _Seen:
    seen, newest = _Seen(), None
    back = BACK_S / _unit(stream)
    try:
        for number, packet in packets(container, stream):
            if packet.has_sidedata("encryption_info"):
                raise DamagedMediaError("The clip is encrypted, so its frames can't be seen. Send it unprotected.")
            seen.corrupt |= packet.is_corrupt
            if packet.is_keyframe:
                seen.keys.add(number)
            if packet.dts is not None:
                seen.begins_again |= newest is not None and newest - packet.dts > back
                newest = packet.dts
            when = packet.pts if packet.pts is not None else packet.dts
            if not shows(stream.codec_context.name, packet):
                continue
            seen.all_timed &= packet.pts is not None
            if packet.is_discard:  # cut away by an edit list: decoded, never shown
                continue
            seen.count += 1
            if when is None:
                continue
            seen.shown.append((when, number))
            seen.durations.append(packet.duration or 0)
            seen.last_end = max(seen.last_end, when + (packet.duration or 0))
    except MemoryError:
        raise
    except FFmpegError:
        seen.damaged = True
    return seen


def _timed(seen: _Seen, container: InputContainer, stream: VideoStream, reliable: bool) -> Timeline | None:
    """By the times of the packets; None where they tell nothing."""
    shown, unit = sorted(seen.shown), _unit(stream)
    distinct = len({when for when, _ in shown})
    if seen.begins_again or 2 * distinct < len(shown):
        return None
    start = shown[0][0] * unit
    if container.format.name == "mpegts" and seen.keys:  # one that is broadcast is picked up anywhere
        shown = [each for each in shown if each[1] >= min(seen.keys)] or shown
    if reliable and container.start_time is not None:  # where players begin; sound may come first
        start = min(start, container.start_time / 1e6)
    times = [when * unit - start for when, _ in shown]
    gap = (times[-1] - times[0]) / max(len(times) - 1, 1) or 1 / float(stream.average_rate or 25)
    end = seen.last_end * unit - start
    timeline = Timeline(times, end if end > times[-1] else times[-1] + gap)
    if len(shown) < len(seen.shown):
        timeline.warnings.append(LATER.format(seconds=times[0]))
    if reliable and distinct == len(seen.shown):
        timeline.packets = [packet for _, packet in shown]
        timeline.keyframes = sorted((packet, index) for index, (_, packet) in enumerate(shown) if packet in seen.keys)
    return timeline


def _counted(seen: _Seen, stream: VideoStream) -> Timeline:
    """One frame after the other, each for as long as most say."""
    gap = median(seen.durations) * _unit(stream) or 1 / float(stream.average_rate or 25)
    times = [number * gap for number in range(seen.count)]
    return Timeline(times, seen.count * gap, warnings=[NO_TIMES], rate=1 / gap)


def _unit(stream: VideoStream) -> float:
    return float(stream.time_base or 1 / 90000)
