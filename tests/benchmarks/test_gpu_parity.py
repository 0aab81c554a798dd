"""Parity is held, or not, for the right reasons."""

import numpy as np
import pytest
from gpu_parity import compare
from gpu_table import MAP_LIMIT, PROBABILITY_LIMIT

DECIDED = np.array([True, True, False])


@pytest.fixture
def reference() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {
        "PROBABILITY": random.random((3, 1), dtype=np.float32),
        "MODEL_PROBABILITIES": random.random((3, 3), dtype=np.float32),
        "HEATMAP": random.standard_normal((3, 7, 7), dtype=np.float32),
        "SWIN_EVIDENCE": random.standard_normal((3, 7, 7), dtype=np.float32),
        "SWIN_FFT": random.standard_normal((3, 64), dtype=np.float32),
    }


def test_equal_answers_hold(reference):
    assert compare(dict(reference), reference, DECIDED) == (0.0, 0.0, 0.0, True)


@pytest.mark.parametrize("name", ["PROBABILITY", "MODEL_PROBABILITIES"])
def test_a_probability_over_the_limit_does_not_hold(reference, name):
    moved = reference | {name: reference[name] + 2 * PROBABILITY_LIMIT}
    probability, _, _, held = compare(moved, reference, DECIDED)
    assert probability == pytest.approx(2 * PROBABILITY_LIMIT, rel=1e-3) and not held


@pytest.mark.parametrize("name", ["HEATMAP", "SWIN_EVIDENCE"])
def test_one_cell_of_one_map_over_the_limit_does_not_hold(reference, name):
    moved = reference[name].copy()
    moved[1, 3, 3] += 3 * MAP_LIMIT * np.abs(reference[name][:2]).max()
    _, worst, middle, held = compare(reference | {name: moved}, reference, DECIDED)
    assert worst == pytest.approx(3 * MAP_LIMIT, rel=1e-3) and middle < worst and not held


def test_a_map_that_rounding_decides_is_not_compared(reference):
    moved = reference["HEATMAP"].copy()
    moved[2] += 10
    assert compare(reference | {"HEATMAP": moved}, reference, DECIDED)[3]


def test_nothing_holds_where_no_map_could_be_compared(reference):
    assert not compare(dict(reference), reference, np.zeros(3, bool))[3]


@pytest.mark.parametrize("name", ["PROBABILITY", "HEATMAP"])
def test_not_a_number_is_no_answer(reference, name):
    broken = reference[name].copy()
    broken.flat[0] = np.nan
    assert not compare(reference | {name: broken}, reference, DECIDED)[3]


def test_missing_outputs_are_told(reference):
    with pytest.raises(ValueError, match="lack the ensemble's outputs"):
        compare({"PROBABILITY": reference["PROBABILITY"]}, reference, DECIDED)
