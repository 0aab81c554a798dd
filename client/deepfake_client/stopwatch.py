"""Where an analysis spends its time, from several threads."""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from deepfake_client.results import Timing

Item = TypeVar("Item")


class Stopwatch:
    """Adds up the seconds of each stage (probe, decode, faces, networks); the total runs from its making."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._seconds = {"probe": 0.0, "decode": 0.0, "faces": 0.0, "networks": 0.0}
        self._lock = threading.Lock()

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._seconds[stage] += time.monotonic() - started

    def waiting(self, stage: str, items: Iterable[Item]) -> Iterator[Item]:
        """The items; the time that each is waited for belongs to the stage."""
        remaining = iter(items)
        while True:
            with self.timing(stage):
                try:
                    item = next(remaining)
                except StopIteration:
                    return
            yield item

    def timings(self) -> Timing:
        return Timing(**self._seconds, total=time.monotonic() - self._started)
