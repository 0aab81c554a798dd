"""Where an analysis spends its time, from several threads."""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from deepfake_client.results import Timing

Item = TypeVar("Item")


class Stopwatch:
    """The seconds in which each stage (probe, decode, faces, networks) was under way, in however many threads at once;
    the total runs from its making."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._seconds = {"probe": 0.0, "decode": 0.0, "faces": 0.0, "networks": 0.0}
        self._under_way = dict.fromkeys(self._seconds, 0)
        self._since = dict.fromkeys(self._seconds, 0.0)
        self._lock = threading.Lock()

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        with self._lock:
            if self._under_way[stage] == 0:
                self._since[stage] = time.monotonic()
            self._under_way[stage] += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way[stage] -= 1
                if self._under_way[stage] == 0:
                    self._seconds[stage] += time.monotonic() - self._since[stage]

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
