"""Pairs brought to one amount of fine detail."""

import cv2
import numpy as np
import pytest
from deepfake_training.detail import detail, evened


@pytest.fixture
def faces(astronaut: np.ndarray, admiral: np.ndarray) -> list[np.ndarray]:
    return [np.ascontiguousarray(each) for each in (astronaut[10:234, 110:334], admiral[50:274, 150:374])]


def softer(image: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), sigma)


def test_a_blur_leaves_less_detail(faces):
    for face in faces:
        assert detail(face) > detail(softer(face, 0.6)) > detail(softer(face, 1.5)) > 0


@pytest.mark.parametrize("fake_is_softer", [True, False])
def test_which_of_a_pair_is_softer_does_not_tell_the_fake(faces, fake_is_softer):
    """Before: always the same one, by a factor of three and more."""
    soft, crisp = softer(faces[0], 1.5), faces[1]
    below = []
    for seed in range(60):
        given = (crisp, soft) if fake_is_softer else (soft, crisp)
        real, fake = evened(*given, np.random.default_rng(seed))
        below.append(detail(fake) < detail(real))
        assert 0.6 < detail(fake) / detail(real) < 1.6
    assert 0.3 < np.mean(below) < 0.7


def test_a_pair_has_no_more_than_its_softer_picture_and_often_less(faces):
    softest = detail(softer(faces[0], 1.0))
    left = [
        max(map(detail, evened(faces[0], softer(faces[0], 1.0), np.random.default_rng(seed)))) / softest
        for seed in range(60)
    ]
    assert 0.2 < min(left) < 0.5 and 0.85 < max(left) < 1.1
    assert np.mean(np.array(left) < 0.75) > 0.2


def test_what_differs_within_a_picture_stays(faces):
    """A soft face on a crisp picture is what a swap leaves."""
    fake = faces[0].copy()
    fake[60:170, 60:170] = softer(faces[0], 2.0)[60:170, 60:170]

    def inside(image: np.ndarray) -> float:
        return detail(image[70:160, 70:160]) / detail(image)

    real, evened_fake = evened(faces[0], fake, np.random.default_rng(3))
    assert inside(evened_fake) < 0.7 * inside(real)
