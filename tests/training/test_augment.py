"""Augmentation may not tell a real from its fake."""

import numpy as np
from deepfake_training.augment import augment
from deepfake_training.batches import PairOrder, batches
from deepfake_training.data import Sample


def crop_of(astronaut: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(astronaut[:224, 120:344])


def test_equal_generators_do_the_same(astronaut):
    crop = crop_of(astronaut)
    for seed in range(20):
        assert np.array_equal(augment(crop, np.random.default_rng(seed)), augment(crop, np.random.default_rng(seed)))


def test_what_is_done_does_not_depend_on_the_picture(astronaut):
    """After two different pictures the generators stand at the same place: as many choices were drawn."""
    crop = crop_of(astronaut)
    for seed in range(20):
        first, second = np.random.default_rng(seed), np.random.default_rng(seed)
        augment(crop, first)
        augment(255 - crop[::-1], second)
        assert first.bit_generator.state == second.bit_generator.state


def test_both_pictures_of_a_pair_undergo_the_same(astronaut):
    """Real and fake are one picture here, so the two halves of each batch must be equal."""
    rows = [Sample("real", False, "s", "g", "clip"), Sample("fake", True, "s", "g", "clip")]
    crops = np.stack([crop_of(astronaut)] * 2)
    made = batches(crops, PairOrder(rows, pairs_a_step=4, seed=0), 0)
    for _ in range(4):
        reals, fakes = np.split(next(made), 2)
        assert np.array_equal(reals, fakes)


def test_different_seeds_do_different_things(astronaut):
    crop = crop_of(astronaut)
    made = [augment(crop, np.random.default_rng(seed)) for seed in range(6)]
    assert all(not np.array_equal(made[0], other) for other in made[1:])


def test_size_and_kind_are_kept(astronaut):
    for seed in range(20):
        made = augment(crop_of(astronaut), np.random.default_rng(seed))
        assert made.shape == (224, 224, 3) and made.dtype == np.uint8
