"""A training run's lines in the log."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from deepfake_training.pace import Pace

log = logging.getLogger(__name__)


class Report:
    """How far a run is, how fast, and how much of its time it waits for pictures."""

    def __init__(self, name: str, batch: int, pace: Pace):
        self.name, self.batch, self.pace = name, batch, pace
        self.steps, self.last, self.waited = pace.steps, time.monotonic(), 0.0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.waited += time.monotonic() - began

    def line(self, side: int, loss: float) -> None:
        """Logs the time since the line before."""
        now, steps = time.monotonic(), self.pace.steps
        log.info(
            "%s %.0f%% step %d side %d loss %.4f, %.1f pictures/s, %.0f%% of the time waiting for them",
            self.name,
            100 * self.pace.done(),
            steps,
            side,
            loss,
            (steps - self.steps) * self.batch / (now - self.last),
            100 * self.waited / (now - self.last),
        )
        self.steps, self.last, self.waited = steps, now, 0.0
