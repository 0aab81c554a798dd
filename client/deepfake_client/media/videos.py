"""Reads videos with FFmpeg's libraries (PyAV), decoding no more than the chosen frames need."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from deepfake_contract.errors import DamagedMediaError
from deepfake_contract.sampling import step_of

from deepfake_client.ahead import ahead
from deepfake_client.media import declared, tags
from deepfake_client.media.chosen_frames import choose
from deepfake_client.media.containers import DECODERS, opened
from deepfake_client.media.cut import is_cut_off
from deepfake_client.media.decoding import counted, planned
from deepfake_client.media.display import Display
from deepfake_client.media.frame import Frame, Opened, Request
from deepfake_client.media.timeline import Timeline, scan

FRAMES_AT_ONCE = 2  # one is decoded while the one before is made what it is shown as
STORE_TIMES = {"mov", "matroska", "mpegts"}  # the others leave times out, or mark keyframes wrongly


def read(request: Request) -> Iterator[Opened | Frame | str]:
    """The chosen frames, after what the clip is. The reader of sniff's "video"."""
    with opened(request, decoders=()) as (container, stream):
        timeline = scan(
            container,
            stream,
            stores_times=request.format in STORE_TIMES,
            cut_off=is_cut_off(request.fd, request.format),
            max_duration_s=request.max_duration_s,
        )
    chosen = choose(request.sampling, request.frames, timeline.times, timeline.end)
    count, corrupt = 0, 0
    display: Display | None = None
    with opened(request, DECODERS) as (container, stream), ThreadPoolExecutor(1) as pool:

        def shown(item: tuple[int, VideoFrame]) -> tuple[int, VideoFrame, np.ndarray]:
            nonlocal display
            index, frame = item
            display = display or Display(frame, stream.sample_aspect_ratio, request.max_pixels)
            return index, frame, display.shown(frame)

        # The original's policy means the frames that come out of the decoder, counted.
        if timeline.packets and step_of(request.sampling) is None:
            frames = planned(request, container, stream, timeline, chosen)
        else:
            frames = counted(container, stream, chosen)
        for index, frame, image in ahead(pool, shown, frames, FRAMES_AT_ONCE):
            if display and not count:
                yield _opened(request, container, stream, image, timeline, chosen)
                yield from (*timeline.warnings, *display.warnings)
            yield Frame(index, timeline.times[index], image)
            count += 1
            corrupt += frame.is_corrupt
    if not count:
        raise DamagedMediaError("No frame of the clip can be decoded: it is damaged or encrypted.")
    if count < len(chosen):
        yield f"{len(chosen) - count} of {len(chosen)} frames could not be decoded and were left out."
    if corrupt:
        yield f"Damaged frames among those analysed: {corrupt}."


def _opened(
    request: Request,
    container: InputContainer,
    stream: VideoStream,
    image: np.ndarray,
    timeline: Timeline,
    chosen: Sequence[int],
) -> Opened:
    height, width, _ = image.shape
    rate = timeline.rate or stream.average_rate
    codec = DECODERS[stream.codec_context.name]
    duration_s = round(timeline.end - timeline.times[0], 3)
    shown_rate = round(float(rate), 3) if rate else None
    told = tags.of_video(container, stream)
    said = declared.of_video(container, request.fd, request.format, told)
    return Opened("video", codec, width, height, duration_s, shown_rate, len(chosen), told, declared=said)
