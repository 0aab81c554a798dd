"""Opens a video's container so that it can reach nothing but its own bytes, and picks the stream to read."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import av
from av.audio import codeccontext as audio
from av.container import InputContainer
from av.error import FFmpegError, MemoryError
from av.sidedata import encparams, motionvectors
from av.stream import Disposition
from av.subtitles import codeccontext, stream
from av.video.stream import VideoStream
from deepfake_contract.errors import DamagedMediaError, UnsupportedMediaError

from deepfake_client.media.cut import is_cut_off
from deepfake_client.media.frame import Request
from deepfake_client.media.pixels import check_size

DECODERS = {  # FFmpeg's decoder: the codec's usual name. What phones, cameras and browsers write; each is also a door
    **{name: name for name in ("h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mjpeg", "prores", "theora")},
    **{name: name for name in ("mpeg1video", "mpeg2video", "h263", "flv", "dvvideo", "ffv1", "rawvideo")},
    **{name: name for name in ("msmpeg4v1", "msmpeg4v2", "msmpeg4", "wmv1", "wmv2", "wmv3", "vc1")},
    "libdav1d": "av1",
}
# PyAV imports these when it meets such a stream, which is too late: by then no file can be opened.
LOADED_EARLY = (audio, codeccontext, encparams, motionvectors, stream)
CUT_OFF = "The file is cut off: what describes its frames is missing. Send it again, whole."
THREADS = 2  # a decoder's; each holds frames of its own


@contextmanager
def opened(request: Request, decoders: Iterable[str]) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container and its video stream, its size checked, ready for demuxing and, with DECODERS, for decoding.

    The format is the one that was recognised, and only the descriptor may be read: no playlist, no other file. FFmpeg
    decodes a little while it opens a container: without decoders nothing is decoded before the size is known.
    """
    os.lseek(request.fd, 0, os.SEEK_SET)
    options = {
        "fd": str(request.fd),
        "protocol_whitelist": "fd",
        "codec_whitelist": ",".join(decoders) or "none",
        "max_pixels": str(request.max_pixels),
    }
    try:
        container = av.open("fd:", format=request.format, options=options, metadata_errors="replace")
    except MemoryError:
        raise
    except (FFmpegError, ValueError) as cause:
        if is_cut_off(request.fd, request.format):
            raise DamagedMediaError(CUT_OFF) from cause
        raise DamagedMediaError(
            "The clip is damaged: it begins like a video, and what describes it is missing. Send the whole file."
        ) from cause
    with container:
        yield container, _stream(container, request)


def _stream(container: InputContainer, request: Request) -> VideoStream:
    """The largest video stream that is not a cover picture."""
    streams = [each for each in container.streams.video if not each.disposition & Disposition.attached_pic]
    known = [each for each in streams if each.codec_context and each.codec_context.name in DECODERS]
    if not known and is_cut_off(request.fd, request.format):
        raise DamagedMediaError(CUT_OFF)
    if not streams:
        what = "only sound" if container.streams.audio else "no video"
        raise DamagedMediaError(f"The file holds {what}, so there is no frame to analyse.")
    if not known:
        names = {each.codec_context.name if each.codec_context else "unknown" for each in streams}
        raise UnsupportedMediaError(
            f"The clip's codec ({', '.join(sorted(names))}) is not read here. Send it as H.264, H.265, VP9 or AV1."
        )
    for each in known:
        check_size(each.width, each.height, request.max_pixels)
    stream = max(known, key=lambda each: each.width * each.height)
    stream.codec_context.options = {"max_pixels": str(request.max_pixels)}  # a stream may change its size half-way
    stream.codec_context.copy_opaque = True
    stream.thread_type = "AUTO"
    stream.thread_count = THREADS
    return stream
