"""Groups, splits and the order of the data."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from deepfake_training.augment import MEDIUM
from deepfake_training.batches import batches, nearest
from deepfake_training.crops import Crops
from deepfake_training.data import Sample, read_manifest
from deepfake_training.pairs import PairOrder
from deepfake_training.recipes import MIXTURES, Mixture
from deepfake_training.splits import hold_out

LANDMARKS = np.array([[0.35, 0.4], [0.65, 0.4], [0.5, 0.58], [0.38, 0.75], [0.62, 0.75]], np.float32)


def samples(sizes: dict[str, int]) -> list[Sample]:
    return [
        Sample(f"{group}-{number}", bool(number % 2), "source", group, f"{group}{number // 2}")
        for group, size in sizes.items()
        for number in range(size)
    ]


def test_a_group_is_never_on_both_sides(manifest):
    learn, held = hold_out(read_manifest(manifest, "train"), 0.3, seed=1)
    assert learn and held
    assert not {sample.group for sample in learn} & {sample.group for sample in held}


def test_every_picture_is_on_one_side(manifest):
    rows = read_manifest(manifest, "train")
    learn, held = hold_out(rows, 0.3, seed=1)
    assert sorted(map(str, rows)) == sorted(map(str, learn + held))


def test_every_source_has_pictures_held_out(manifest):
    _, held = hold_out(read_manifest(manifest, "train"), 0.3, seed=1)
    assert {sample.source for sample in held} == {"swaps", "stills"}


def test_one_huge_group_stays_on_the_learning_side():
    rows = samples({"huge": 60} | {f"small{number}": 2 for number in range(20)})
    for seed in range(5):
        learn, held = hold_out(rows, 0.2, seed)
        assert len(held) == 20
        assert "huge" in {sample.group for sample in learn}


def test_rows_of_another_split_are_not_read(manifest):
    assert all(sample.path.exists() for sample in read_manifest(manifest, "train"))


def test_a_fake_comes_with_its_own_original(manifest):
    rows = read_manifest(manifest, "train")
    order = PairOrder(rows, pairs_a_step=8, seed=3)
    pairs = [pair for step in range(10) for pair in order.pairs(step)]
    swaps = [(rows[real], rows[fake]) for real, fake, _ in pairs if rows[fake].source == "swaps"]
    assert swaps and all(real.original == fake.original for real, fake in swaps)
    assert all(not rows[real].fake and rows[fake].fake for real, fake, _ in pairs)
    assert all(rows[real].source == rows[fake].source for real, fake, _ in pairs)


@pytest.fixture
def order(manifest) -> PairOrder:
    return PairOrder(read_manifest(manifest, "train"), pairs_a_step=2, seed=3)


@pytest.fixture
def crops(order) -> Crops:
    pictures = np.random.default_rng(0).integers(0, 256, (48, 64, 64, 3), np.uint8)
    return Crops(order.samples, pictures, np.tile(64 * LANDMARKS, (48, 1, 1)), np.arange(48.0))


@pytest.mark.parametrize("mixture", MIXTURES.values(), ids=list(MIXTURES))
def test_the_seed_decides_the_batches(order, crops, mixture):
    assert np.array_equal(stream(crops, order, mixture, 5), stream(crops, order, mixture, 5))
    other = PairOrder(order.samples, pairs_a_step=2, seed=4)
    assert not np.array_equal(stream(crops, order, mixture, 5), stream(crops, other, mixture, 5))


def test_a_resumed_run_sees_the_batches_it_would_have_seen(order, crops):
    mixture = MIXTURES["blended"]
    assert np.array_equal(stream(crops, order, mixture, 0)[2], stream(crops, order, mixture, 2)[0])


@pytest.mark.parametrize(("blended", "swapped"), [(1.0, 0.0), (0.0, 1.0)])
def test_made_fakes_are_aligned_with_their_reals(order, crops, blended, swapped):
    batch = next(batches(crops, order, Mixture(blended, swapped, MIXTURES["labelled"].augmentation), 0))
    assert batch.aligned.all()


def test_labelled_fakes_are_aligned_where_their_one_original_is_known(order, crops):
    batch = next(batches(crops, order, MIXTURES["labelled"], 0))
    assert batch.aligned.tolist() == [order.samples[fake].source == "swaps" for _, fake, _ in order.pairs(0)]


@pytest.mark.parametrize("reals", [0, 2])
def test_a_fake_whose_original_is_missing_or_one_of_several_is_not_aligned(reals):
    def sample(name: str, fake: bool, original: str) -> Sample:
        return Sample(Path(name), fake, "swaps", "g", original)

    rows = [sample(f"r{number}", False, "clip") for number in range(reals)]
    rows += [sample("other", False, "another"), sample("fake", True, "clip")]
    pairs = [pair for step in range(20) for pair in PairOrder(rows, pairs_a_step=2, seed=0).pairs(step)]
    assert not any(aligned for _, _, aligned in pairs)
    assert {real for real, _, _ in pairs} == ({0, 1} if reals else {0})


def test_a_face_is_never_swapped_with_one_of_its_own_group(order):
    for step in range(50):
        for real, _, _ in order.pairs(step):
            strangers = order.stranger(real, np.random.default_rng(step))
            assert all(order.samples[index].group != order.samples[real].group for index in strangers)


def test_a_mixture_without_labelled_fakes_shows_none(order, crops):
    """The fakes are white here and the reals black: no batch holds anything white."""
    crops.pictures[:] = 0
    crops.pictures[[sample.fake for sample in order.samples]] = 255
    quiet = Mixture(1.0, 0.0, replace(MIXTURES["labelled"].augmentation, noise=0, cut_out=0))
    made = batches(crops, order, quiet, 0)
    assert max(np.asarray(next(made).pictures).mean() for _ in range(5)) < 60


def test_whole_frames_come_with_labelled_fakes_whatever_the_mixture(order, crops):
    bare = replace(crops, landmarks=np.full_like(crops.landmarks, np.nan))
    assert np.array_equal(
        stream(bare, order, Mixture(1.0, 0.0, MEDIUM), 0), stream(crops, order, Mixture(0.0, 0.0, MEDIUM), 0)
    )


def test_the_face_turned_most_alike_is_taken():
    turned = LANDMARKS.copy()
    turned[:, 0] = 0.5 + (turned[:, 0] - 0.5) * np.array([0.3, 0.9, 1, 0.3, 0.9])
    of_all = np.stack([turned, LANDMARKS * 3 + 5, turned * 2])
    assert nearest(LANDMARKS, of_all, np.array([0, 1, 2])) == 1
    assert nearest(turned, of_all, np.array([1, 2])) == 2


def stream(crops: Crops, order: PairOrder, mixture: Mixture, first_step: int) -> list[np.ndarray]:
    made = batches(crops, order, mixture, first_step)
    return [next(made).pictures for _ in range(3)]
