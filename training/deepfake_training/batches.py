"""Batches of real/fake pairs in an order that only the seed decides."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import numpy as np

from deepfake_training.augment import augment
from deepfake_training.data import Sample

Pair = tuple[int, int]  # indices of a real and of a fake sample


class PairOrder:
    """Which pairs each step sees. Sources come in proportion to the square root of their pairs, so that the largest
    teaches most without drowning the others; a fake comes with its own original where there is one."""

    def __init__(self, samples: list[Sample], pairs_a_step: int, seed: int):
        self.samples, self.pairs_a_step, self.seed = samples, pairs_a_step, seed
        self.reals: dict[str, list[int]] = {}
        self.fakes: dict[str, list[int]] = {}
        for index, sample in enumerate(samples):
            (self.fakes if sample.fake else self.reals).setdefault(sample.source, []).append(index)
        self.sources = sorted(set(self.reals) & set(self.fakes))
        self.original = {
            (sample.source, sample.original): index
            for index, sample in enumerate(samples)
            if sample.original and not sample.fake
        }
        sizes = np.sqrt([len(self.fakes[source]) for source in self.sources])
        self.shares = sizes / sizes.sum()

    def pairs(self, step: int) -> list[Pair]:
        random = np.random.default_rng([self.seed, step])
        return [
            self._pair(self.sources[index], random)
            for index in random.choice(len(self.sources), self.pairs_a_step, p=self.shares)
        ]

    def _pair(self, source: str, random: np.random.Generator) -> Pair:
        fake = int(random.choice(self.fakes[source]))
        real = self.original.get((source, self.samples[fake].original))
        return (int(random.choice(self.reals[source])) if real is None else real), fake


def batches(crops: np.ndarray, order: PairOrder, first_step: int, ahead: int = 6) -> Iterator[np.ndarray]:
    """Augmented crops uint8 [2 · pairs, 224, 224, 3], reals first, from `first_step` on without end.

    Made ahead in one thread: Pillow releases the lock while it works. Both of a pair get equal generators.
    """

    def make(step: int) -> np.ndarray:
        pairs = order.pairs(step)
        seeds = [[order.seed, step, place] for place in range(len(pairs))]
        return np.stack(
            [
                augment(crops[pair[side]], np.random.default_rng(seed))
                for side in (0, 1)
                for pair, seed in zip(pairs, seeds, strict=True)
            ]
        )

    with ThreadPoolExecutor(1) as thread:
        steps = count(first_step)
        waiting = [thread.submit(make, next(steps)) for _ in range(ahead)]
        while True:
            yield waiting.pop(0).result()
            waiting.append(thread.submit(make, next(steps)))
