"""Crops a second of whatever answers crops."""

import itertools
import threading
import time
from collections.abc import Callable

import numpy as np

Run = Callable[[np.ndarray], bool]  # crops [N, 224, 224, 3] uint8 to whether they were answered
SIDE = 224  # pixels


def random_crops(count: int) -> np.ndarray:
    """uint8 [count, 224, 224, 3]: a network takes as long for noise as for a face."""
    return np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)


def crops_per_second(run: Run, crops: np.ndarray, callers: int, seconds: float) -> float:
    """Callers ask again and again until the time is over; all that was begun is waited for and counted."""
    answered = itertools.count()
    start = time.perf_counter()

    def call_until_the_end() -> None:
        while time.perf_counter() - start < seconds:
            if run(crops):
                next(answered)

    threads = [threading.Thread(target=call_until_the_end) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return next(answered) * len(crops) / (time.perf_counter() - start)
