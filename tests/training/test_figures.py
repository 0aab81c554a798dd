"""Figures against counting by hand, and against scikit-learn."""

import numpy as np
import pytest
from deepfake_training.figures import (
    auc_difference,
    auc_interval,
    bootstrap_aucs,
    calibration_error,
    draws_of,
    equal_error_rate,
    figures,
    risk_coverage,
)
from sklearn.metrics import roc_auc_score, roc_curve

SEED = 3


@pytest.fixture
def answers() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """200 files in 50 groups, told apart fairly well, with ties."""
    random = np.random.default_rng(0)
    fake = np.arange(200) % 2 == 1
    probability = np.clip(random.normal(np.where(fake, 0.65, 0.35), 0.2), 0, 1).round(2)
    return fake, probability, np.arange(200) // 4


def test_each_draw_has_the_area_that_scikit_learn_finds(answers):
    fake, probability, group = answers
    draws = draws_of(group, SEED)[:20]
    expected = [roc_auc_score(fake, probability, sample_weight=weights) for weights in draws]
    assert np.allclose(bootstrap_aucs(fake, probability, draws), expected)


def test_a_draw_takes_whole_groups(answers):
    _, _, group = answers
    draws = draws_of(group, SEED)
    for name in np.unique(group):
        assert (draws[:, group == name] == draws[:, group == name][:, :1]).all()
    assert (draws.sum(axis=1) == 200).all()


def test_the_interval_holds_the_area(answers):
    fake, probability, group = answers
    small, large = (auc_interval(fake, probability, names, SEED) for names in (group, group // 10))
    assert small.low < small.value < small.high
    assert small.value == pytest.approx(roc_auc_score(fake, probability))
    assert large.low < large.high


def test_the_interval_is_wider_where_files_depend_on_each_other():
    """Each file four times over is no more evidence than once."""
    random = np.random.default_rng(0)
    fake = np.arange(100) % 2 == 1
    probability = random.normal(np.where(fake, 0.6, 0.4), 0.2)
    once = auc_interval(fake, probability, np.arange(100), SEED)
    copies = np.repeat(fake, 4), np.repeat(probability, 4)
    known = auc_interval(*copies, np.repeat(np.arange(100), 4), SEED)
    unknown = auc_interval(*copies, np.arange(400), SEED)
    assert known.high - known.low == pytest.approx(once.high - once.low, rel=0.2)
    assert known.high - known.low > 1.5 * (unknown.high - unknown.low)


def test_the_difference_is_paired(answers):
    """Against itself there is none, whatever the draw; against noise it is large and sure."""
    fake, probability, group = answers
    same = auc_difference(fake, probability, probability, group, SEED)
    assert same.value == same.low == same.high == 0
    noise = np.random.default_rng(1).random(200)
    better = auc_difference(fake, probability, noise, group, SEED)
    assert better.low > 0.1 and better.value == pytest.approx(
        roc_auc_score(fake, probability) - roc_auc_score(fake, noise)
    )


def test_equal_errors_are_found_between_the_points_of_the_curve():
    fake = np.array([False] * 4 + [True] * 4)
    probability = np.array([0.1, 0.2, 0.3, 0.8, 0.4, 0.6, 0.7, 0.9])
    false_positives, found, _ = roc_curve(fake, probability, drop_intermediate=False)
    assert equal_error_rate(false_positives, found) == pytest.approx(0.25)
    assert equal_error_rate(*roc_curve(fake, fake.astype(float))[:2]) == pytest.approx(0)
    # All answers equal: the curve is the diagonal, and the two errors meet in its middle.
    assert equal_error_rate(*roc_curve(fake, np.full(8, 0.5))[:2]) == pytest.approx(0.5)
    # A tied step from (0, 1/4) to (1/2, 1): errors meet where 1 - (1/4 + 3/2 x) = x.
    tied = np.array([0.1, 0.2, 0.5, 0.5, 0.5, 0.5, 0.5, 0.9])
    assert equal_error_rate(*roc_curve(fake, tied)[:2]) == pytest.approx(0.3)


def test_calibration_compares_what_was_said_with_what_was_true():
    random = np.random.default_rng(0)
    said = random.random(60_000)
    assert calibration_error(random.random(60_000) < said, said) < 0.01
    assert calibration_error(random.random(60_000) < 0.5, np.full(60_000, 0.9)) == pytest.approx(0.4, abs=0.01)
    # Sorted by label, as a folder's files are: equal answers still belong together.
    assert calibration_error(np.arange(60_000) >= 30_000, np.full(60_000, 0.9)) == pytest.approx(0.4, abs=0.03)


def test_risk_counts_the_surest_answers_first():
    fake = np.array([True, False, True, False])
    probability = np.array([0.95, 0.9, 0.6, 0.48])
    # By distance from 0.5: right, wrong, right, right.
    every = np.ones(4, bool)
    assert risk_coverage(fake, probability, every, 0.5).tolist() == pytest.approx([0, 1 / 2, 1 / 3, 1 / 4])


def test_no_answer_is_the_least_sure():
    fake, probability = np.array([False, True, False]), np.array([1.0, 0.9, 0.4])
    answered = np.array([False, True, True])
    assert risk_coverage(fake, probability, answered, 0.5).tolist() == pytest.approx([0, 0, 1 / 3])


def test_figures_of_a_small_table():
    fake = np.array([False] * 4 + [True] * 4)
    probability = np.array([0.1, 0.2, 0.3, 0.8, 0.4, 0.6, 0.7, 0.9])
    of = figures(fake, probability, np.ones(8, bool), np.arange(8), 0.5, SEED)
    assert (of.reals, of.fakes) == (4, 4)
    assert of.auc.value == pytest.approx(13 / 16)
    assert of.accuracy == 6 / 8
    assert (of.false_positive_rate.value, of.true_positive_rate.value) == (1 / 4, 3 / 4)
    assert 0 < of.false_positive_rate.low < 1 / 4 < of.false_positive_rate.high < 1
    assert of.tpr_at_fpr == {"5%": 1 / 4, "1%": 1 / 4}
    assert of.brier == pytest.approx(np.mean([0.01, 0.04, 0.09, 0.64, 0.36, 0.16, 0.09, 0.01]))
    assert of.risk_at["100%"] == 2 / 8
