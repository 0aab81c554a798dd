"""Batches of augmented real/fake pairs."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import NamedTuple

import cv2
import numpy as np

from deepfake_training.augment import augment
from deepfake_training.blending import self_blended, swapped
from deepfake_training.crops import Crops
from deepfake_training.pairs import Pair, PairOrder, blendable
from deepfake_training.recipes import Diet


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
    real = crops.pictures[real_index]
    landmarks = crops.landmarks[real_index]
    # Without a face there is nothing to blend: whole frames are fed labelled fakes only.
    kind = random.random() if blendable(landmarks, len(real)) else 1.0
    if fake_index is None:
        fake, kind = None, kind * (diet.blended + diet.swapped)
    else:
        fake = crops.pictures[fake_index]
    if diet.blended <= kind < diet.blended + diet.swapped:
        strangers = order.stranger(real_index, random)
        if len(strangers):
            other = nearest(landmarks, crops.landmarks, strangers)
            (real, fake), aligned = (
                swapped(real, landmarks, crops.pictures[other], crops.landmarks[other], random),
                True,
            )
    if kind < diet.blended or fake is None:
        (real, fake), aligned = self_blended(real, landmarks, random), True
    real, fake = (augment(picture, diet.wear, np.random.default_rng([*seed, 1])) for picture in (real, fake))
    return real, fake, aligned


def nearest(landmarks: np.ndarray, of_all: np.ndarray, candidates: np.ndarray) -> int:
    """The candidate whose face is turned most alike: landmarks compared without place and size."""

    def shape(points: np.ndarray) -> np.ndarray:
        centred = points - points.mean(axis=-2, keepdims=True)
        return centred / np.linalg.norm(centred, axis=(-2, -1), keepdims=True)

    distance = np.linalg.norm(shape(of_all[candidates]) - shape(landmarks), axis=(-2, -1))
    return int(candidates[np.argmin(distance)])
