"""How far a training run is: by the pictures that its recipe wants, or by the clock."""

import time


class Pace:
    """`steps` is how many have been taken, `spent_s` the time they took, those before a stop included."""

    def __init__(self) -> None:
        self.steps = 0
        self._before, self._started = 0.0, time.monotonic()

    def begin(self, steps: int = 0, spent_s: float = 0.0) -> None:
        """Time counts from here; a stopped run goes on where it was."""
        self.steps, self._before, self._started = steps, spent_s, time.monotonic()

    @property
    def spent_s(self) -> float:
        return self._before + time.monotonic() - self._started

    def done(self) -> float:
        """The share of the run that lies behind; from 1 on it is over."""
        raise NotImplementedError


class BySteps(Pace):
    """A run of so many steps, however long they take."""

    def __init__(self, wanted: int):
        super().__init__()
        self.wanted = wanted

    def done(self) -> float:
        return self.steps / self.wanted


class ByClock(Pace):
    """A run of so many seconds, however many steps fit in; at least one does."""

    def __init__(self, seconds: float):
        super().__init__()
        self.seconds = seconds

    def done(self) -> float:
        return min(1.0, self.spent_s / self.seconds) if self.steps else 0.0
