"""How much work is let in: a bounded number of analyses, and a bounded number that wait for one."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from deepfake_contract.errors import BusyError

# Before a refusal: clients that come back at once would else take the processor from the files being analysed.
PAUSE_S = 0.25


class Admission:
    """Places for everything between the first byte of an upload and its answer, and turns for what is analysed."""

    def __init__(self, analyses: int, waiting: int, max_wait_s: float):
        self._places = threading.BoundedSemaphore(analyses + waiting)
        self._turns = threading.BoundedSemaphore(analyses)
        self._max_wait_s = max_wait_s
        self._count = threading.Lock()
        self.admitted = 0
        self.running = 0

    @property
    def waiting(self) -> int:
        return self.admitted - self.running

    @contextmanager
    def place(self) -> Iterator[None]:
        """Held from before the upload is read; BusyError in a moment where all are taken."""
        if not self._places.acquire(timeout=PAUSE_S):
            raise BusyError("Too many files are being analysed at the moment; try again in a few seconds.")
        try:
            with self._counted("admitted"):
                yield
        finally:
            self._places.release()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Held while a file is analysed; BusyError where none came free in time."""
        if not self._turns.acquire(timeout=self._max_wait_s):
            raise BusyError(f"The file waited {self._max_wait_s:g} s and its turn did not come; try again later.")
        try:
            with self._counted("running"):
                yield
        finally:
            self._turns.release()

    @contextmanager
    def _counted(self, name: str) -> Iterator[None]:
        with self._count:
            setattr(self, name, getattr(self, name) + 1)
        try:
            yield
        finally:
            with self._count:
                setattr(self, name, getattr(self, name) - 1)
