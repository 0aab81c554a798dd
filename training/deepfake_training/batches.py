"""Batches of augmented real/fake pairs."""

import shutil
import signal
from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

import cv2
import numpy as np
import torch
from deepfake_contract.errors import UsageError
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from deepfake_training.augment import augment
from deepfake_training.blending import self_blended, swapped
from deepfake_training.crops import Crops
from deepfake_training.detail import evened
from deepfake_training.pairs import Pair, PairOrder, blendable
from deepfake_training.recipes import Mixture

SHARED_MEMORY = "/dev/shm"
AHEAD = 3  # batches that a process makes before they are asked for


class Batch(NamedTuple):
    """`pictures`: augmented face crops uint8 [2 · pairs, S, S, 3], the reals first; `face_sides`: float32 [2 · pairs].
    `aligned`: bool [pairs], where the fake differs from its real only in what was manipulated."""

    pictures: Tensor
    face_sides: Tensor
    aligned: Tensor


class _Batches(Dataset):
    """The batch of each step. Both of a pair get equal generators."""

    def __init__(self, crops: Crops, order: PairOrder, mixture: Mixture):
        self.crops, self.order, self.mixture = crops, order, mixture

    def __getitem__(self, step: int) -> Batch:
        made = [
            made_pair(self.crops, self.order, self.mixture, pair, [self.order.seed, step, number])
            for number, pair in enumerate(self.order.pairs(step))
        ]
        reals, fakes, indices, aligned = zip(*made, strict=True)
        sides = self.crops.face_sides[np.array(indices).T.ravel()]
        return Batch(
            torch.from_numpy(np.stack([*reals, *fakes])),
            torch.from_numpy(sides.astype(np.float32)),
            torch.tensor(aligned),
        )


def batches(crops: Crops, order: PairOrder, mixture: Mixture, first_step: int, workers: int = 1) -> Iterator[Batch]:
    """Batches from `first_step` on without end, made ahead in `workers` processes; how many there are changes nothing.

    UsageError where the system's shared memory, through which they come, is too small for them.
    """
    cv2.setNumThreads(1)  # before the fork: a process could not end the threads that it did not get
    _check_shared_memory(workers * AHEAD * 2 * order.pairs_a_step * crops.pictures[0].nbytes)
    loader = DataLoader(
        _Batches(crops, order, mixture),
        batch_size=None,
        sampler=count(first_step),  # type: ignore[arg-type]  # any iterable will do
        num_workers=workers,
        prefetch_factor=AHEAD,
        pin_memory=torch.cuda.is_available(),
        worker_init_fn=_leave_interrupts,
        generator=torch.Generator(),  # else one number of the training's own would be drawn at every start
        multiprocessing_context="fork",  # the crops are shared, not copied
    )
    return iter(loader)


def _leave_interrupts(_worker: int) -> None:
    """In a process that makes batches: Ctrl-C is the training's, which ends these."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _check_shared_memory(needed: int) -> None:
    free = shutil.disk_usage(SHARED_MEMORY).free
    if needed > free:
        raise UsageError(
            f"{SHARED_MEMORY} has {free >> 20} MiB left, and batches on their way need {needed >> 20} MiB: give it "
            "more (docker run --shm-size), or take fewer --workers."
        )


def made_pair(
    crops: Crops, order: PairOrder, mixture: Mixture, pair: Pair, seed: list[int]
) -> tuple[np.ndarray, np.ndarray, tuple[int, int], bool]:
    """The real and the fake of a pair, both augmented alike, which samples they show, and whether they are aligned."""
    random = np.random.default_rng([*seed, 0])
    real_index, fake_index, aligned = pair
    shown = real_index, real_index if fake_index is None else fake_index
    real = crops.pictures[real_index]
    landmarks = crops.landmarks[real_index]
    # Without a face there is nothing to blend: whole frames are paired with labelled fakes only.
    kind = random.random() if blendable(landmarks, len(real)) else 1.0
    if fake_index is None:
        fake, kind = None, kind * (mixture.blended + mixture.swapped)
    else:
        fake = crops.pictures[fake_index]
    if mixture.blended <= kind < mixture.blended + mixture.swapped:
        strangers = order.stranger(real_index, random)
        if len(strangers):
            other = nearest(landmarks, crops.landmarks, strangers)
            real, fake = swapped(real, landmarks, crops.pictures[other], crops.landmarks[other], random)
            shown, aligned = (real_index, real_index), True
    if kind < mixture.blended or fake is None:
        real, fake = self_blended(real, landmarks, random)
        shown, aligned = (real_index, real_index), True
    if random.random() < mixture.evened:
        real, fake = evened(real, fake, random)
    real, fake = (augment(each, mixture.augmentation, np.random.default_rng([*seed, 1])) for each in (real, fake))
    return real, fake, shown, aligned


def nearest(landmarks: np.ndarray, of_all: np.ndarray, candidates: np.ndarray) -> int:
    """The candidate whose face is turned most alike: landmarks compared without place and size."""

    def shape(points: np.ndarray) -> np.ndarray:
        centred = points - points.mean(axis=-2, keepdims=True)
        return centred / np.linalg.norm(centred, axis=(-2, -1), keepdims=True)

    distance = np.linalg.norm(shape(of_all[candidates]) - shape(landmarks), axis=(-2, -1))
    return int(candidates[np.argmin(distance)])
