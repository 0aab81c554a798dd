"""Augmentation may not tell a real from its fake."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from deepfake_contract.errors import UsageError
from deepfake_training.augment import MEDIUM, STRONG, augment, video_compressed, with_augmented
from deepfake_training.batches import batches
from deepfake_training.crops import Crops
from deepfake_training.data import Sample
from deepfake_training.pairs import PairOrder
from deepfake_training.recipes import Mixture


def crop_of(astronaut: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(astronaut[:224, 120:344])


@pytest.mark.parametrize("augmentation", [MEDIUM, STRONG])
def test_equal_generators_do_the_same(astronaut, augmentation):
    crop = crop_of(astronaut)
    for seed in range(20):
        first, second = (augment(crop, augmentation, np.random.default_rng(seed)) for _ in range(2))
        assert np.array_equal(first, second)


def test_what_is_done_does_not_depend_on_the_picture(astronaut):
    """After two different pictures the generators stand at the same place: as many choices were drawn."""
    crop = crop_of(astronaut)
    for seed in range(20):
        first, second = np.random.default_rng(seed), np.random.default_rng(seed)
        augment(crop, STRONG, first)
        augment(255 - crop[::-1], STRONG, second)
        assert first.bit_generator.state == second.bit_generator.state


def test_both_pictures_of_a_pair_undergo_the_same(astronaut):
    """Real and fake are one picture here, so the two halves of each batch must be equal."""
    rows = [Sample("real", False, "s", "g", "clip"), Sample("fake", True, "s", "g", "clip")]
    crops = Crops(rows, np.stack([crop_of(astronaut)] * 2), np.full((2, 5, 2), np.nan), np.ones(2))
    made = batches(crops, PairOrder(rows, pairs_a_step=4, seed=0), Mixture(0.0, 0.0, STRONG), 0)
    for _ in range(4):
        reals, fakes = np.split(next(made).pictures, 2)
        assert np.array_equal(reals, fakes)


def test_different_seeds_do_different_things(astronaut):
    crop = crop_of(astronaut)
    made = [augment(crop, MEDIUM, np.random.default_rng(seed)) for seed in range(6)]
    assert all(not np.array_equal(made[0], other) for other in made[1:])


def test_size_and_kind_are_kept(astronaut):
    for seed in range(20):
        made = augment(crop_of(astronaut), STRONG, np.random.default_rng(seed))
        assert made.shape == (224, 224, 3) and made.dtype == np.uint8


def test_stronger_video_compression_loses_more(astronaut):
    crop = crop_of(astronaut)
    losses = [np.abs(video_compressed(crop, crf).astype(int) - crop).mean() for crf in (18, 30, 42)]
    assert losses[0] < losses[1] < losses[2]


def test_augmented_pictures_keep_their_colours(astronaut):
    """Red and blue are not exchanged on the way through the coders."""
    crop = crop_of(astronaut)
    made = np.stack([augment(crop, MEDIUM, np.random.default_rng(seed)) for seed in range(40)])
    assert np.abs(made.mean((0, 1, 2)) - crop.mean((0, 1))).max() < 12


def test_crops_stay_and_are_followed_by_themselves_augmented(astronaut):
    crops = np.stack([crop_of(astronaut), crop_of(astronaut)])
    augmentation = replace(MEDIUM, spared=0.0)
    both = with_augmented(crops, augmentation, seed=1)
    assert np.array_equal(both[:2], crops)
    assert not np.array_equal(both[2], crops[0]) and not np.array_equal(both[2], both[3])
    assert np.array_equal(both, with_augmented(crops, augmentation, seed=1))


def test_without_pyav_a_mixture_that_asks_for_video_says_so(astronaut, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.delitem(sys.modules, "deepfake_training.video_augmentation", raising=False)
    with pytest.raises(UsageError, match="needs PyAV"):
        augment(crop_of(astronaut), replace(MEDIUM, spared=0.0, video=1.0), np.random.default_rng(0))
