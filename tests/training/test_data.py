"""Groups, splits and the order of the data."""

import numpy as np
import pytest
from deepfake_client.errors import UsageError
from deepfake_training.batches import PairOrder, batches
from deepfake_training.data import Sample, hold_out, read_manifest


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


def test_a_manifest_without_a_needed_column_is_refused(tmp_path):
    path = tmp_path / "manifest.csv"
    path.write_text("path,label,source,split\na.png,real,here,train\n")
    with pytest.raises(UsageError, match="group"):
        read_manifest(path, "train")


def test_an_unknown_label_is_refused(tmp_path):
    path = tmp_path / "manifest.csv"
    path.write_text("path,label,source,group,split\na.png,maybe,here,g,train\n")
    with pytest.raises(UsageError, match="maybe"):
        read_manifest(path, "train")


def test_a_fake_comes_with_its_own_original(manifest):
    rows = read_manifest(manifest, "train")
    order = PairOrder(rows, pairs_a_step=8, seed=3)
    pairs = [pair for step in range(10) for pair in order.pairs(step)]
    swaps = [(rows[real], rows[fake]) for real, fake in pairs if rows[fake].source == "swaps"]
    assert swaps and all(real.original == fake.original for real, fake in swaps)
    assert all(not rows[real].fake and rows[fake].fake for real, fake in pairs)
    assert all(rows[real].source == rows[fake].source for real, fake in pairs)


def test_the_seed_decides_the_batches(manifest):
    order = PairOrder(read_manifest(manifest, "train"), pairs_a_step=2, seed=3)
    crops = np.random.default_rng(0).integers(0, 256, (48, 64, 64, 3), np.uint8)
    first, second = (stream(crops, order, 5) for _ in range(2))
    assert np.array_equal(first, second)
    other = PairOrder(order.samples, pairs_a_step=2, seed=4)
    assert not np.array_equal(first, stream(crops, other, 5))


def test_a_resumed_run_sees_the_batches_it_would_have_seen(manifest):
    order = PairOrder(read_manifest(manifest, "train"), pairs_a_step=2, seed=3)
    crops = np.random.default_rng(0).integers(0, 256, (48, 64, 64, 3), np.uint8)
    assert np.array_equal(stream(crops, order, 0)[2], stream(crops, order, 2)[0])


def stream(crops: np.ndarray, order: PairOrder, first_step: int) -> list[np.ndarray]:
    made = batches(crops, order, first_step)
    return [next(made) for _ in range(3)]
