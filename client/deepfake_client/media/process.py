"""The decoding process, seen from the one that wants the frames."""

import fcntl
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from deepfake_contract.errors import DamagedMediaError, DeepfakeError, TooLargeError, UnsupportedMediaError

from deepfake_client.media.complaints import Complaints
from deepfake_client.media.facts import Credentials, Said
from deepfake_client.media.frame import Frame, Opened, Request
from deepfake_client.media.provenance import checked_credentials, checked_said, checked_tags
from deepfake_client.media.trust import name_of
from deepfake_client.media.wire import Closed, Reader

PIPE_BYTES = 1 << 20  # what the kernel holds between the processes; the default of 64 KiB means many small reads
MAX_WARNINGS = 100
SET_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}  # each thread's arena takes address space
KEPT_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG")
log = logging.getLogger(__name__)
MAY_BE_RAISED = {each.__name__: each for each in (TooLargeError, UnsupportedMediaError, DamagedMediaError)}


class DecodingProcess:
    """Started on entering, killed on leaving. What it says is checked: a hostile file may have taken it over."""

    def __init__(self, request: Request, patience_s: float):
        """`patience_s` is the longest silence before DeadlineError."""
        self._request, self._patience_s = request, patience_s
        self.warnings: list[str] = []

    def __enter__(self) -> "DecodingProcess":
        # -P: a module of the same name in the working directory must not be imported instead of ours.
        options = ["-P", "-W", "ignore", "-m", "deepfake_client.media.child"]
        command = [sys.executable, *options, json.dumps(asdict(self._request))]
        self._complaints = Complaints()
        environment = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,  # held open as long as we live: its end is the child's sign to go
                stdout=subprocess.PIPE,
                stderr=self._complaints.writing,
                bufsize=0,
                env=environment | SET_ENVIRONMENT,
                pass_fds=[self._request.fd],
                start_new_session=True,  # Ctrl-C is ours to handle
            )
        except BaseException:
            self._complaints.end()
            raise
        finally:
            self._complaints.handed_over()
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
        if said := self._complaints.end():
            log.warning("The decoding process %d said:\n%s", self._process.pid, said)

    def credentials(self) -> Credentials:
        """The file's Content Credentials, which come before everything else."""
        with self._understood():
            return checked_credentials(self._next("credentials"), name_of(self._request.trust_list))

    def signed(self) -> list[Said]:
        """What the credentials say of how the file came about; comes next."""
        with self._understood():
            return checked_said(self._next("signed"), signed=True)

    def opened(self) -> Opened:
        """What the file is; waits until the process knows."""
        with self._understood():
            opened = Opened(**self._next("opened"))
            if not isinstance(opened.truncated, bool):
                raise _not_understood()
            return replace(opened, tags=checked_tags(opened.tags), declared=checked_said(opened.declared, signed=False))

    def frames(self) -> Iterator[Frame]:
        """The frames, as they come."""
        for _ in range(self._request.frames + 1):
            message = self._next("frame")
            if not message:
                return
            with self._understood():
                frame = self._frame(**message)
            yield frame
        raise _not_understood()

    def _frame(self, index: int, time_s: float, width: int, height: int) -> Frame:
        if not (width > 0 and height > 0 and width * height <= self._request.max_pixels):
            raise _not_understood()
        image = np.empty((height, width, 3), np.uint8)
        self._pipe.fill(image.data.cast("B"))
        return Frame(index, time_s, image)

    def _next(self, kind: str) -> dict[str, Any]:
        """The body of the next message of this kind, empty at the end; collects warnings, raises errors."""
        while True:
            with self._understood():
                message = self._pipe.message()
            match message:
                case {"warning": str(text)} if len(self.warnings) < MAX_WARNINGS:
                    self.warnings.append(text)
                case {"error": str(name), "text": str(text)}:
                    raise MAY_BE_RAISED.get(name, DeepfakeError)(text)
                case {"end": True}:
                    return {}
                case {**body} if kind in body:
                    return body[kind]
                case _:
                    raise _not_understood()

    @contextmanager
    def _understood(self) -> Iterator[None]:
        """Tells why the process is gone, or that it talks nonsense."""
        try:
            yield
        except Closed as cause:
            raise self._why_gone() from cause
        except (TypeError, ValueError) as cause:
            raise _not_understood() from cause

    def _why_gone(self) -> DeepfakeError:
        self._process.kill()  # it may have closed its output only
        code = self._process.wait()
        if code in (-signal.SIGXCPU, -signal.SIGKILL):
            return TooLargeError(
                f"Decoding took more than {self._request.cpu_s} seconds of processor time (DEEPFAKE_DECODER_CPU_S), "
                "or more memory than this machine has. Send a smaller or shorter file."
            )
        if code < 0 and code != -signal.SIGSYS:
            return DamagedMediaError(f"The file made the decoder crash ({signal.Signals(-code).name}). It is damaged.")
        return DeepfakeError(f"The decoding process could not do its work (exit code {code}).")


def _not_understood() -> DeepfakeError:
    return DeepfakeError("The decoding process sent something that is not understood; it was stopped.")
