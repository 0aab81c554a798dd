"""Opens a file of a stranger: recognises it, and has another process decode it."""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from deepfake_contract.errors import DamagedMediaError, TooLargeError, UnsupportedMediaError
from deepfake_contract.sampling import step_of

from deepfake_client.media.facts import MediaInfo, Provenance
from deepfake_client.media.frame import Frame, Opened, Request
from deepfake_client.media.process import DecodingProcess
from deepfake_client.media.provenance import declarations
from deepfake_client.media.sniff import HEAD_BYTES, sniff
from deepfake_client.media.trust import path_of
from deepfake_client.settings import ClientSettings

HASH_BYTES = 1 << 20  # read at once for the digest


class Media:
    """An open file. Iterate once over its frames; `warnings` is complete when they have all come."""

    kind: Literal["image", "video"]
    info: MediaInfo
    provenance: Provenance
    frames_expected: int
    truncated: bool
    warnings: list[str]

    def __init__(
        self, opened: Opened, info: MediaInfo, provenance: Provenance, frames: Iterator[Frame], warnings: list[str]
    ):
        self.kind, self.info, self.provenance = opened.kind, info, provenance
        self.frames_expected, self.truncated, self.warnings = opened.frames, opened.truncated, warnings
        self._frames = frames

    def __iter__(self) -> Iterator[Frame]:
        return self._frames


@contextmanager
def open_media(path: str | os.PathLike[str], sampling: str, frames: int, settings: ClientSettings) -> Iterator[Media]:
    """The upright RGB frames of a picture or video, decoded ahead in a process with limits while you use them.

    `sampling` is a policy's (ValueError for another), `frames` the most frames wanted. Leaving the context stops the
    process, wherever it is. Raises TooLargeError over a limit of the settings, UnsupportedMediaError for what is not
    read here, DamagedMediaError for what holds nothing to analyse, DeadlineError when the decoder falls silent: on
    entering, or, where damage shows only later, while iterating.
    """
    step_of(sampling)
    descriptor, size = _open(path, settings)
    try:
        content = sniff(os.pread(descriptor, HEAD_BYTES, 0))
        request = Request(
            fd=descriptor,
            reader=content.reader,
            format=content.format,
            sampling=sampling,
            frames=frames,
            max_pixels=settings.max_pixels,
            max_duration_s=settings.max_duration_s,
            memory_bytes=settings.decoder_memory_bytes,
            cpu_s=settings.decoder_cpu_s,
            trust_list=path_of(settings.trust_list),
        )
        with DecodingProcess(request, settings.analysis_deadline_s) as process:
            digest = _sha256(descriptor)  # while the process starts
            credentials, signed = process.credentials(), process.signed()
            opened = process.opened()
            provenance = Provenance(opened.tags, credentials, declarations([*signed, *opened.declared], credentials))
            info = MediaInfo(
                sha256=digest,
                bytes=size,
                container=content.container,
                codec=opened.codec,
                width=opened.width,
                height=opened.height,
                duration_s=opened.duration_s,
                frame_rate=opened.frame_rate,
            )
            yield Media(opened, info, provenance, process.frames(), process.warnings)
    finally:
        os.close(descriptor)


def _open(path: str | os.PathLike[str], settings: ClientSettings) -> tuple[int, int]:
    """A descriptor of a regular file that is not too large, and its size in bytes."""
    try:
        # Without O_NONBLOCK a named pipe would keep us waiting for a writer.
        descriptor = os.open(Path(path), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError) as cause:
        reason = getattr(cause, "strerror", None) or str(cause)
        raise DamagedMediaError(f"The file can't be opened: {reason}.") from cause
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise UnsupportedMediaError("This is a folder or a device, not a file.")
    if status.st_size > settings.max_bytes:
        os.close(descriptor)
        raise TooLargeError(
            f"The file has {status.st_size:,} bytes; the most is {settings.max_bytes:,} (DEEPFAKE_MAX_BYTES)."
        )
    return descriptor, status.st_size


def _sha256(descriptor: int) -> str:
    """The file's digest; read by position, because the process shares the descriptor's own."""
    digest, position = hashlib.sha256(), 0
    while block := os.pread(descriptor, HASH_BYTES, position):
        digest.update(block)
        position += len(block)
    return digest.hexdigest()
