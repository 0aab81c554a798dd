"""Decodes the chosen frames of a clip, and no more than they need."""

from collections import deque
from collections.abc import Iterator, Sequence

from av.container import InputContainer
from av.error import FFmpegError, MemoryError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from deepfake_client.media.containers import DECODERS, opened
from deepfake_client.media.frame import Request
from deepfake_client.media.timeline import Timeline, packets

# How many keyframes before the nearest decoding begins. Some are none in truth, and from some the picture is renewed
# part by part and whole only after a while: then with the one before, else with the clip's first packet.
EARLIER = (0, 1, 1 << 30)
# Decoders that begin with any frame and show grey for what it is made from; all others show nothing until they can.
CARELESS = {"mpeg4", "h263", "flv", "msmpeg4v1", "msmpeg4v2", "msmpeg4", "wmv1", "wmv2", "mpeg1video", "mpeg2video"}


def planned(
    request: Request,
    container: InputContainer,
    stream: VideoStream,
    timeline: Timeline,
    chosen: Sequence[int],
    attempt: int = 0,
) -> Iterator[tuple[int, VideoFrame]]:
    """Decodes the runs of packets that hold the chosen frames; each frame carries the number of its packet.

    Frames that are not wanted and that no other is made from are passed over: the same pixels for about half the work.
    What a run leaves out because it did not begin where decoding can begin is decoded, with all that follows, from
    further ahead.
    """
    wanted: dict[object, int] = {timeline.packets[index]: index for index in chosen}
    waiting = deque(chosen)
    runs = iter(timeline.runs(chosen, EARLIER[attempt]))
    first, last = next(runs)
    begun = False
    careless = stream.codec_context.name in CARELESS
    stream.codec_context.open(strict=False)  # before skip_frame is set: some decoders read it once, here
    for number, packet in packets(container, stream):
        if number < first:
            continue
        packet.opaque = number
        stream.codec_context.skip_frame = "DEFAULT" if number in wanted else "NONREF"
        frames = _decode(stream, packet)
        if number == last:
            frames += _decode(stream, None)  # what the decoder still holds
            stream.codec_context.flush_buffers()
        missed = False
        for frame in frames:
            begun |= frame.opaque == first and (frame.key_frame or not careless)
            index = wanted.get(frame.opaque, -1)
            if not waiting or index < waiting[0]:
                continue
            missed = not begun and (careless or index > waiting[0])
            if missed and _may_begin_earlier(first, attempt):
                break
            while waiting and waiting[0] <= index:
                waiting.popleft()
            yield index, frame
        if number == last:
            missed |= bool(waiting) and not begun and timeline.packets[waiting[0]] <= last
        if missed and _may_begin_earlier(first, attempt):
            rest = list(waiting)
            with opened(request, DECODERS) as again:
                yield from planned(request, *again, timeline, rest, attempt + 1)
            return
        if number == last:
            first, last = next(runs, (0, -1))
            begun = False
            if last < 0:
                return


def counted(container: InputContainer, stream: VideoStream, chosen: Sequence[int]) -> Iterator[tuple[int, VideoFrame]]:
    """Decodes from the start and counts what comes out."""
    wanted = set(chosen)
    for index, frame in enumerate(_all(container, stream)):
        if index in wanted:
            yield index, frame
        if index >= chosen[-1]:
            return


def _may_begin_earlier(first: int, attempt: int) -> bool:
    return first > 0 and attempt + 1 < len(EARLIER)


def _all(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    try:
        for _, packet in packets(container, stream):
            yield from _decode(stream, packet)
    except MemoryError:
        raise
    except FFmpegError:
        pass  # the timeline ended here too, and says so
    yield from _decode(stream, None)


def _decode(stream: VideoStream, packet: Packet | None) -> list[VideoFrame]:
    """The frames that come out when this goes in; none where it is damaged, which the count tells."""
    try:
        return stream.decode(packet)
    except MemoryError:
        raise
    except FFmpegError:
        return []
