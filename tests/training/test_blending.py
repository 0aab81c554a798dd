"""Fakes made from real faces."""

import cv2
import numpy as np
import pytest
from deepfake_training.blending import self_blended, swapped

# Of the astronaut's face in the crop below, and of the admiral's.
LANDMARKS = np.array([[92, 95], [132, 95], [112, 122], [97, 142], [130, 142]], np.float32)
OTHER = np.array([[85, 80], [135, 80], [110, 110], [90, 140], [132, 140]], np.float32)


@pytest.fixture
def face(astronaut: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(astronaut[10:234, 110:334])


@pytest.fixture
def other(admiral: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(admiral[50:274, 150:374])


def change(real: np.ndarray, fake: np.ndarray) -> np.ndarray:
    return np.abs(real.astype(int) - fake).max(axis=2)


def corners(difference: np.ndarray) -> np.ndarray:
    return np.stack(
        [
            difference[rows, columns]
            for rows in (slice(12), slice(-12, None))
            for columns in (slice(12), slice(-12, None))
        ]
    )


def test_a_self_blended_fake_differs_in_the_face_and_not_in_the_corners(face):
    changed = sum(change(*self_blended(face, LANDMARKS, np.random.default_rng(seed))) for seed in range(60))
    assert corners(changed).max() == 0
    assert changed[85:150, 90:135].min() > 0


def test_nearly_every_self_blended_fake_differs_from_its_real(face):
    least = [change(*self_blended(face, LANDMARKS, np.random.default_rng(seed))).max() for seed in range(60)]
    assert np.mean(np.array(least) >= 5) > 0.9


def test_half_of_the_reals_are_recoloured_too(face):
    """Else a change of colour alone would tell a fake."""
    reals = [self_blended(face, LANDMARKS, np.random.default_rng(seed))[0] for seed in range(100)]
    means = np.array([np.abs(real.mean(axis=(0, 1)) - face.mean(axis=(0, 1))).max() for real in reals])
    assert 30 < (means > 2).sum() < 70


@pytest.mark.parametrize("kind", ["self_blended", "swapped"])
def test_a_fake_is_softer_than_its_real_as_often_as_sharper(face, other, kind):
    """Moving a face softens it: if only ever the fake's were moved, soft would mean fake, and crisp fakes pass."""

    def softer(seed: int) -> bool | None:
        random = np.random.default_rng(seed)
        both = [(face, LANDMARKS), (other, OTHER)]
        below, above = both if seed % 2 else both[::-1]
        real, fake = self_blended(*below, random) if kind == "self_blended" else swapped(*below, *above, random)
        where = change(real, fake) > 4
        return sharpness(fake, where) < sharpness(real, where) if where.sum() > 500 else None

    known = [answer for answer in map(softer, range(200)) if answer is not None]
    assert len(known) > 100 and 0.35 < np.mean(known) < 0.65


def sharpness(picture: np.ndarray, where: np.ndarray) -> float:
    return cv2.Laplacian(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.CV_32F)[where].var()


def test_the_seed_decides_the_blend(face):
    first, second, third = (self_blended(face, LANDMARKS, np.random.default_rng(seed))[1] for seed in (1, 1, 2))
    assert np.array_equal(first, second) and not np.array_equal(first, third)


def test_a_swapped_face_leaves_the_corners(face, other):
    for seed in range(20):
        real, fake = swapped(face, LANDMARKS, other, OTHER, np.random.default_rng(seed))
        difference = change(real, fake)
        assert corners(difference).max() == 0 and difference.max() > 5


def test_swapped_colours_are_brought_near(face, other):
    fakes = [
        swapped(face, LANDMARKS, (other * 0.3).astype(np.uint8), OTHER, np.random.default_rng(seed))[1]
        for seed in range(20)
    ]
    assert abs(np.mean(fakes) - face.mean()) < 8


def test_a_mask_turns_with_the_face(face):
    """The head lies on its side here: what changes reaches farther sideways than up and down."""
    middle = LANDMARKS.mean(axis=0)
    lying = (LANDMARKS - middle)[:, ::-1] * (-1, 1) + middle
    reach = []
    for landmarks in (LANDMARKS, lying.astype(np.float32)):
        changed = sum(change(*self_blended(face, landmarks, np.random.default_rng(seed))) for seed in range(60)) > 0
        reach.append(changed.any(axis=1).sum() / changed.any(axis=0).sum())
    assert reach[0] > 1.1 and reach[1] < 0.9


def test_a_swapped_face_comes_to_lie_on_the_other_ones_landmarks(face):
    """A face put onto itself from elsewhere in a crop changes little."""
    moved = np.roll(face, (12, -9), axis=(0, 1))
    there = LANDMARKS + np.array([-9, 12], np.float32)
    seeds = range(20)
    aligned, left = (
        np.mean([change(*swapped(face, LANDMARKS, moved, points, np.random.default_rng(n))).mean() for n in seeds])
        for points in (there, LANDMARKS)
    )
    assert aligned < 0.7 * left
