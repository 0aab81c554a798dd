"""Which pairs are drawn where a source has one class only."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from deepfake_contract.errors import UsageError
from deepfake_training.augment import LIGHT
from deepfake_training.batches import batches
from deepfake_training.crops import Crops
from deepfake_training.data import Sample
from deepfake_training.pairs import PairOrder, blendable
from deepfake_training.recipes import Mixture

LANDMARKS = np.array([[0.35, 0.4], [0.65, 0.4], [0.5, 0.58], [0.38, 0.75], [0.62, 0.75]], np.float32) * 64


def rows(source: str, reals: int, fakes: int) -> list[Sample]:
    """Each real a group of its own, each fake made of the real of its number."""
    return [
        Sample(Path(f"{source}-{fake}-{number}"), fake, source, f"{source}{number}", f"{source}{number}")
        for fake, count in ((False, reals), (True, fakes))
        for number in range(count)
    ]


BOTH, REALS, FAKES = rows("both", 6, 6), rows("portraits", 6, 0), rows("generator", 0, 6)


def drawn(samples: list[Sample], may_blend: np.ndarray | None, steps: int = 40) -> list[tuple[Sample, Sample | None]]:
    order = PairOrder(samples, pairs_a_step=4, seed=0, blendable=may_blend)
    pairs = [pair for step in range(steps) for pair in order.pairs(step)]
    return [(samples[real], None if fake is None else samples[fake]) for real, fake, _ in pairs]


def test_reals_without_fakes_take_part_in_pairs_whose_fake_is_made():
    pairs = drawn(BOTH + REALS, np.ones(18, bool))
    assert {real.source for real, fake in pairs if fake is None} == {"portraits"}
    assert {real.source for real, fake in pairs if fake is not None} == {"both"}
    assert {real for real, fake in pairs if fake is None} == set(REALS)


def test_where_no_fakes_are_made_reals_without_fakes_are_left_out_and_it_is_logged(caplog):
    with caplog.at_level(logging.WARNING):
        pairs = drawn(BOTH + REALS, None)
    assert {real.source for real, _ in pairs} == {"both"}
    assert "portraits is left out: it has reals only" in caplog.text


def test_reals_in_which_no_face_lies_are_not_drawn_where_a_fake_must_be_made():
    may_blend = np.ones(18, bool)
    may_blend[12:16] = False
    assert {real for real, fake in drawn(BOTH + REALS, may_blend) if fake is None} == set(REALS[4:])


def test_fakes_without_reals_are_left_out_and_it_is_logged(caplog):
    with caplog.at_level(logging.WARNING):
        pairs = drawn(BOTH + FAKES, np.ones(18, bool))
    assert {sample.source for pair in pairs for sample in pair} == {"both"}
    assert "generator is left out: it has fakes only" in caplog.text


def test_faces_of_sources_with_reals_only_are_put_onto_others():
    samples = BOTH + REALS
    order = PairOrder(samples, pairs_a_step=1, seed=0, blendable=np.ones(18, bool))
    assert "portraits" in {samples[index].source for index in order.stranger(0, np.random.default_rng(0))}


def test_shares_go_with_the_pairs_that_are_possible_and_are_evened():
    order = PairOrder(rows("a", 9, 64) + rows("b", 8, 0), pairs_a_step=1, seed=0, blendable=np.ones(81, bool))
    assert np.allclose(order.shares[0] / order.shares[1], 8**0.6)


def test_where_nothing_can_be_paired_it_is_said():
    with pytest.raises(UsageError, match="nothing to pair"):
        PairOrder(REALS, pairs_a_step=1, seed=0)


def test_a_face_whose_middle_is_outside_or_unknown_is_not_blendable():
    faces = np.stack([LANDMARKS, LANDMARKS + 80, np.full((5, 2), np.nan)])
    assert blendable(faces, 64).tolist() == [True, False, False]


@pytest.mark.parametrize("mixture", [Mixture(0.1, 0.0, LIGHT), Mixture(0.0, 0.1, LIGHT), Mixture(0.05, 0.05, LIGHT)])
def test_fakes_of_reals_without_any_are_made_whatever_their_share(mixture):
    """Such a pair is always made, also where the mixture makes few; both are augmented alike."""
    pictures = np.random.default_rng(0).integers(0, 256, (6, 64, 64, 3), np.uint8)
    crops = Crops(REALS, pictures, np.tile(LANDMARKS, (6, 1, 1)), np.ones(6))
    batch = next(batches(crops, PairOrder(REALS, 16, 0, blendable(crops.landmarks, 64)), mixture, 0))
    reals, fakes = batch.pictures[:16], batch.pictures[16:]
    assert batch.aligned.all()
    assert all((real != fake).any() for real, fake in zip(reals, fakes, strict=True))


def test_a_face_that_no_stranger_can_take_is_blended_with_itself():
    alone = [Sample(Path(str(number)), False, "portraits", "one person", "") for number in range(3)]
    pictures = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8)
    crops = Crops(alone, pictures, np.tile(LANDMARKS, (3, 1, 1)), np.ones(3))
    order = PairOrder(alone, 4, 0, np.ones(3, bool))
    assert next(batches(crops, order, Mixture(0.0, 1.0, LIGHT), 0)).aligned.all()


def test_what_was_compressed_as_video_meets_only_what_was_too():
    """Whatever the compression leaves is in both of a pair, also where no original is known."""
    plain = rows("swaps", 6, 6) + [replace(row, original="") for row in rows("stills", 6, 6)]
    samples = plain + [replace(row, path=Path(f"{row.path}.h264"), compressed=True) for row in plain[::2]]
    pairs = drawn(samples, None, steps=100)
    assert all(real.compressed == fake.compressed for real, fake in pairs)
    assert {fake.compressed for _, fake in pairs} == {False, True}
    assert all(real.original == fake.original for real, fake in pairs if real.source == "swaps")


def test_a_recording_and_its_compressed_copy_are_no_two_candidates():
    samples = [replace(row, original="clip") for row in rows("swaps", 1, 1)]
    samples += [replace(row, path=Path(f"{row.path}.h264"), compressed=True) for row in samples]
    assert all(pair.aligned for pair in PairOrder(samples, pairs_a_step=8, seed=0).pairs(0))
