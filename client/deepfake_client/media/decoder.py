"""Opens a file of a stranger: recognises it, and has another process decode it."""

import fcntl
import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np

from deepfake_client import errors
from deepfake_client.errors import DamagedMediaError, DeepfakeError, TooLargeError, UnsupportedMediaError
from deepfake_client.media.frame import Frame, Opened, Request
from deepfake_client.media.sampling import every_nth
from deepfake_client.media.sniff import HEAD_BYTES, sniff
from deepfake_client.media.wire import Closed, Reader
from deepfake_client.results import MediaInfo
from deepfake_client.settings import ClientSettings

HASH_BYTES = 1 << 20  # read at once for the digest
PIPE_BYTES = 1 << 20  # what the kernel holds between the processes; the default of 64 KiB means many small reads
CHILD_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}  # each thread's arena takes address space
KEPT_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG")
MAY_BE_RAISED = {each.__name__: each for each in (TooLargeError, UnsupportedMediaError, DamagedMediaError)}


class Media:
    """An open file. Iterate once over its frames; `warnings` is complete when they have all come."""

    kind: Literal["image", "video"]
    info: MediaInfo
    frames_expected: int
    warnings: list[str]

    def __init__(self, opened: Opened, info: MediaInfo, frames: Iterator[Frame], warnings: list[str]):
        self.kind, self.info, self.frames_expected, self.warnings = opened.kind, info, opened.frames, warnings
        self._frames = frames

    def __iter__(self) -> Iterator[Frame]:
        return self._frames


@contextmanager
def open_media(path: str | os.PathLike[str], sampling: str, frames: int, settings: ClientSettings) -> Iterator[Media]:
    """The upright RGB frames of a picture or video, decoded ahead in a process with limits while you use them.

    `sampling` is "even" or "every_nth:N", `frames` the most frames wanted. Leaving the context stops the process,
    wherever it is. Raises TooLargeError over a limit of the settings, UnsupportedMediaError for what is not read here,
    DamagedMediaError for what holds nothing to analyse, DeadlineError when the decoder falls silent: on entering, or,
    where damage shows only later, while iterating.
    """
    every_nth(sampling)
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
        )
        with _Child(request, settings.analysis_deadline_s) as child:
            digest = _sha256(descriptor)  # while the child starts
            opened = child.opened()
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
            yield Media(opened, info, child.frames(), child.warnings)
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
    """The file's digest; read by position, because the child shares the descriptor's own."""
    digest, position = hashlib.sha256(), 0
    while block := os.pread(descriptor, HASH_BYTES, position):
        digest.update(block)
        position += len(block)
    return digest.hexdigest()


class _Child:
    """The decoding process: started on entering, killed on leaving."""

    def __init__(self, request: Request, patience_s: float):
        self._request, self._patience_s = request, patience_s
        self.warnings: list[str] = []

    def __enter__(self) -> "_Child":
        # -P: a module of the same name in the working directory must not be imported instead of ours.
        command = [sys.executable, "-P", "-m", "deepfake_client.media.child", json.dumps(asdict(self._request))]
        environment = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,  # held open as long as we live: its end is the child's sign to go
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=environment | CHILD_ENVIRONMENT,
            pass_fds=[self._request.fd],
            start_new_session=True,  # Ctrl-C is ours to handle
        )
        assert self._process.stdout is not None
        with suppress(OSError):  # a user over the system's allowance for pipes keeps the default
            fcntl.fcntl(self._process.stdout, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._pipe = Reader(self._process.stdout.fileno(), self._patience_s)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def opened(self) -> Opened:
        """What the file is; waits until the child knows."""
        return Opened(**self._next("opened"))

    def frames(self) -> Iterator[Frame]:
        """The frames, as they come."""
        while message := self._next("frame"):
            index, time_s, width, height = (message[name] for name in ("index", "time_s", "width", "height"))
            if not (width > 0 and height > 0 and width * height <= self._request.max_pixels):
                raise DeepfakeError("The decoding process sent a frame of an impossible size.")
            image = np.empty((height, width, 3), np.uint8)
            with self._ends_told():
                self._pipe.fill(image.data.cast("B"))
            yield Frame(index, time_s, image)

    def _next(self, kind: str) -> dict[str, Any]:
        """The body of the next message of this kind, empty at the end; collects warnings, raises errors."""
        while True:
            with self._ends_told():
                message = self._pipe.message()
            match message:
                case {"warning": str(text)}:
                    self.warnings.append(text)
                case {"error": str(name), "text": str(text)}:
                    raise MAY_BE_RAISED.get(name, errors.DeepfakeError)(text)
                case {"end": True}:
                    return {}
                case {**body} if kind in body:
                    return body[kind]
                case _:
                    raise DeepfakeError("The decoding process sent something that is not understood.")

    @contextmanager
    def _ends_told(self) -> Iterator[None]:
        """Tells why the child is gone."""
        try:
            yield
        except Closed as cause:
            raise self._why_gone() from cause

    def _why_gone(self) -> DeepfakeError:
        self._process.kill()  # it may have closed its output only
        code = self._process.wait()
        if code in (-signal.SIGXCPU, -signal.SIGKILL):
            return TooLargeError(
                f"Decoding took more than {self._request.cpu_s} seconds of processor time (DEEPFAKE_DECODER_CPU_S), "
                "or more memory than this machine has. Send a smaller or shorter file."
            )
        if code < 0:
            return DamagedMediaError(f"The file made the decoder crash ({signal.Signals(-code).name}). It is damaged.")
        return DeepfakeError(f"The decoding process could not do its work (exit code {code}).")
