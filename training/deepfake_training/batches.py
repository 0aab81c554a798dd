"""Batches of real/fake pairs in an order that only the seed decides."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import NamedTuple

import cv2
import numpy as np

from deepfake_training.augment import augment
from deepfake_training.blending import self_blended, swapped
from deepfake_training.crops import Crops
from deepfake_training.data import Sample
from deepfake_training.recipes import Diet

Pair = tuple[int, int, bool]  # indices of a real and of a fake sample; whether the fake was made of that very real
CANDIDATES = 16  # for a swap: the one whose face is turned most alike is taken
EVENNESS = 0.6  # a source's share goes with its pairs to this power: the largest teaches most, but drowns no other


class PairOrder:
    """Which pairs each step sees: both of one source, and a fake with its own original where there is one."""

    def __init__(self, samples: list[Sample], pairs_a_step: int, seed: int):
        self.samples, self.pairs_a_step, self.seed = samples, pairs_a_step, seed
        self.reals: dict[str, list[int]] = {}
        self.fakes: dict[str, list[int]] = {}
        for index, sample in enumerate(samples):
            (self.fakes if sample.fake else self.reals).setdefault(sample.source, []).append(index)
        self.sources = sorted(set(self.reals) & set(self.fakes))
        self.originals: dict[tuple[str, str], list[int]] = {}
        for index, sample in enumerate(samples):
            if sample.original and not sample.fake:
                self.originals.setdefault((sample.source, sample.original), []).append(index)
        self.all_reals = [index for source in self.sources for index in self.reals[source]]
        # A fake that was made from a recording holds some other real face; one without is taken for a generator's.
        self.generated = [index for index, sample in enumerate(samples) if sample.fake and not sample.original]
        sizes = np.array([len(self.fakes[source]) for source in self.sources]) ** EVENNESS
        self.shares = sizes / sizes.sum()

    def pairs(self, step: int) -> list[Pair]:
        random = np.random.default_rng([self.seed, step, 0, 2])  # the last number tells it from a picture's generators
        return [
            self._pair(self.sources[index], random)
            for index in random.choice(len(self.sources), self.pairs_a_step, p=self.shares)
        ]

    def _pair(self, source: str, random: np.random.Generator) -> Pair:
        fake = int(random.choice(self.fakes[source]))
        own = self.originals.get((source, self.samples[fake].original), [])
        # Of a recording's several pictures none is known to be the one.
        return int(random.choice(own or self.reals[source])), fake, len(own) == 1

    def stranger(self, real: int, random: np.random.Generator) -> np.ndarray:
        """Some pictures whose face may be put onto that real one's: in half of the cases such that were generated as a
        whole, if there are any, so that what a generator does to a face is seen in the midst of a real picture too."""
        pool = self.generated if self.generated and random.random() < 0.5 else self.all_reals
        drawn = random.choice(pool, CANDIDATES)
        others = [index for index in drawn if self.samples[index].group != self.samples[real].group]
        return np.array(others, int)


class Batch(NamedTuple):
    """`pictures`: augmented crops uint8 [2 · pairs, 224, 224, 3], the reals first. `aligned`: bool [pairs], where the
    fake differs from its real only in what was manipulated."""

    pictures: np.ndarray
    aligned: np.ndarray


def batches(crops: Crops, order: PairOrder, diet: Diet, first_step: int, ahead: int = 6) -> Generator[Batch]:
    """Batches from `first_step` on without end.

    Made ahead in one thread: OpenCV releases the lock while it works. Both of a pair get equal generators.
    """
    cv2.setNumThreads(1)  # the cores belong to the network

    def make(step: int) -> Batch:
        made = [_pictures(crops, order, diet, pair, [order.seed, step, n]) for n, pair in enumerate(order.pairs(step))]
        reals, fakes, aligned = zip(*made, strict=True)
        return Batch(np.stack([*reals, *fakes]), np.array(aligned))

    with ThreadPoolExecutor(1) as thread:
        steps = count(first_step)
        waiting = [thread.submit(make, next(steps)) for _ in range(ahead)]
        while True:
            yield waiting.pop(0).result()
            waiting.append(thread.submit(make, next(steps)))


def _pictures(
    crops: Crops, order: PairOrder, diet: Diet, pair: Pair, seed: list[int]
) -> tuple[np.ndarray, np.ndarray, bool]:
    """The real and the fake of a pair, both worn alike, and whether they are aligned."""
    random = np.random.default_rng([*seed, 0])
    real_index, fake_index, aligned = pair
    real, fake = crops.pictures[real_index], crops.pictures[fake_index]
    landmarks = crops.landmarks[real_index]
    # Without a face there is nothing to blend: whole frames are fed labelled fakes only.
    kind = random.random() if _inside(landmarks, len(real)) else 1.0
    if kind < diet.blended:
        (real, fake), aligned = self_blended(real, landmarks, random), True
    elif kind < diet.blended + diet.swapped:
        strangers = order.stranger(real_index, random)
        if len(strangers):
            other = nearest(landmarks, crops.landmarks, strangers)
            (real, fake), aligned = (
                swapped(real, landmarks, crops.pictures[other], crops.landmarks[other], random),
                True,
            )
    real, fake = (augment(picture, diet.wear, np.random.default_rng([*seed, 1])) for picture in (real, fake))
    return real, fake, aligned


def _inside(landmarks: np.ndarray, side: int) -> bool:
    """Whether the face's middle is in the picture; no if there is no face."""
    return bool((np.abs(landmarks.mean(axis=0) - side / 2) < side / 2).all())


def nearest(landmarks: np.ndarray, of_all: np.ndarray, candidates: np.ndarray) -> int:
    """The candidate whose face is turned most alike: landmarks compared without place and size."""

    def shape(points: np.ndarray) -> np.ndarray:
        centred = points - points.mean(axis=-2, keepdims=True)
        return centred / np.linalg.norm(centred, axis=(-2, -1), keepdims=True)

    distance = np.linalg.norm(shape(of_all[candidates]) - shape(landmarks), axis=(-2, -1))
    return int(candidates[np.argmin(distance)])
