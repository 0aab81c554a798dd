"""fake_from and real_below against counting by hand, and what they give."""

import time

import numpy as np
import pytest
from deepfake_training.source_rates import Scored
from deepfake_training.strong_evidence import MEAN, strong_evidence
from deepfake_training.thresholds import fit_thresholds


def source(name: str, reals: np.ndarray, fakes: np.ndarray, files_a_group: int = 1) -> Scored:
    """Groups of reals and of fakes apart, with so many files each."""
    y_score = np.concatenate([reals, fakes])
    group = [f"{label}{at // files_a_group}" for label, part in (("r", reals), ("f", fakes)) for at in range(len(part))]
    y_true = np.arange(len(y_score)) >= len(reals)
    return Scored(y_true, y_score, np.full(len(y_score), name), np.array(group))


def together(*parts: Scored) -> Scored:
    return Scored(*(np.concatenate([vars(part)[name] for part in parts]) for name in vars(parts[0])))


def fit(*parts: Scored) -> tuple[float | None, float | None]:
    return fit_thresholds(**vars(together(*parts)))


@pytest.fixture(scope="module")
def overlapping() -> Scored:
    """2,000 reals and fakes whose scores overlap."""
    random = np.random.default_rng(0)
    return source("a", random.normal(0.35, 0.12, 2000), random.normal(0.65, 0.12, 2000))


def test_fake_from_is_the_lowest_score_that_few_reals_reach(overlapping):
    fake_from, _ = fit(overlapping)
    reals, fakes = overlapping.y_score[~overlapping.y_true], overlapping.y_score[overlapping.y_true]
    assert np.mean(reals >= fake_from) <= 0.03
    assert np.mean(fakes >= fake_from) / np.mean(reals >= fake_from) >= 10
    next_lower = overlapping.y_score[overlapping.y_score < fake_from].max()
    assert np.mean(reals >= next_lower) > 0.03


def test_real_below_keeps_fakes_and_wrong_answers_out(overlapping):
    _, real_below = fit(overlapping)
    reals, fakes = overlapping.y_score[~overlapping.y_true], overlapping.y_score[overlapping.y_true]
    missed, found = np.mean(fakes < real_below), np.mean(reals < real_below)
    assert missed <= 0.1 and missed / (missed + found) <= 0.2
    next_higher = overlapping.y_score[overlapping.y_score > real_below].min()
    assert np.mean(fakes < next_higher) > 0.1


def test_scores_that_tell_nothing_apart_give_neither():
    random = np.random.default_rng(0)
    for _ in range(3):
        assert fit(source("a", random.random(300), random.random(300))) == (None, None)


def test_a_single_class_gives_neither():
    assert fit(source("a", np.linspace(0, 1, 100), np.empty(0))) == (None, None)


def test_where_all_is_told_apart_the_two_do_not_cross():
    fake_from, real_below = fit(source("a", np.linspace(0, 0.2, 500), np.linspace(0.8, 1, 500)))
    assert fake_from is not None and real_below is not None and real_below < fake_from <= 0.8


def test_few_reals_prove_no_large_ratio():
    """None of ten reals is near a fake: up to 26 % may be all the same. Of 200 none is evidence enough."""
    fakes = np.linspace(0.8, 1, 100)
    assert fit(source("a", np.linspace(0, 0.2, 10), fakes))[0] is None
    assert fit(source("a", np.linspace(0, 0.2, 200), fakes))[0] is not None


def test_files_of_one_person_are_no_more_evidence_than_the_person():
    """500 reals of ten persons, none of which reaches a fake's score."""
    fakes = np.linspace(0.8, 1, 100)
    assert fit(source("a", np.linspace(0, 0.2, 500), fakes, files_a_group=50))[0] is None


def test_each_source_weighs_the_same():
    """A small source whose reals look like fakes moves fake_from as much as a large one that has none of them."""
    random = np.random.default_rng(0)
    large = source("a", random.uniform(0, 0.5, 2000), random.uniform(0.6, 1, 2000))
    small = source("b", np.r_[random.uniform(0, 0.5, 90), np.full(10, 0.7)], random.uniform(0.6, 1, 100))
    fake_from, _ = fit(large, small)
    assert fake_from > 0.7  # 10 % of b's, 5 % of the mean, though 0.5 % of all reals
    assert fit(large)[0] < 0.6


def test_a_source_of_reals_alone_counts_for_its_reals(overlapping):
    controls = source("controls", np.full(300, 0.75), np.empty(0))
    without, with_them = fit(overlapping)[0], fit(overlapping, controls)[0]
    assert without < 0.75 < with_them


def test_thousands_of_scores_take_seconds():
    random = np.random.default_rng(0)
    parts = [source(name, random.normal(0.35, 0.12, 500), random.normal(0.65, 0.12, 500)) for name in "abcdef"]
    begun = time.monotonic()
    assert None not in fit(*parts)
    assert time.monotonic() - begun < 20


def test_what_they_give_is_counted_per_source_and_as_the_mean():
    near = source("a", np.array([0.1, 0.2, 0.5, 0.9]), np.array([0.1, 0.5, 0.9, 0.95]))
    far = source("b", np.array([0.1, 0.1]), np.array([0.9, 0.9]))
    made = strong_evidence(together(near, far), fake_from=0.9, real_below=0.3)
    a, mean = made["a"], made[MEAN]
    assert list(made) == ["a", "b", MEAN]
    assert (a.reals_answered.value, a.fakes_answered.value, a.tpr.value, a.fpr.value) == (0.75, 0.75, 0.5, 0.25)
    assert a.wrong.value == pytest.approx(1 / 3)  # one real of three answers, one fake of three
    assert mean.tpr.value == 0.75 and mean.fpr.value == 0.125
    assert mean.wrong.value == pytest.approx((0.125 + 0.125) / (0.875 + 0.875))


def test_none_among_few_is_not_never():
    """Of 30 reals none reaches fake_from: up to a tenth might."""
    made = strong_evidence(source("a", np.full(30, 0.1), np.full(30, 0.9)), 0.8, 0.2)["a"]
    assert made.fpr.value == made.fpr.low == 0 and 0.08 < made.fpr.high < 0.1
    assert made.tpr.value == made.tpr.high == 1 and 0.9 < made.tpr.low < 0.92
    assert made.wrong.value == 0 and 0.04 < made.wrong.high < 0.06


def test_a_threshold_that_is_not_there_gives_no_answer():
    files = source("a", np.linspace(0, 1, 50), np.linspace(0, 1, 50))
    nothing = strong_evidence(files, None, None)["a"]
    assert nothing.reals_answered.value == nothing.fakes_answered.value == 0
    assert nothing.wrong is None and nothing.tpr is None and nothing.fpr is None
    assert strong_evidence(files, 0.9, None)["a"].fpr.value == 0.1


def test_a_source_of_reals_alone_has_no_share_of_fakes():
    made = strong_evidence(source("controls", np.linspace(0, 1, 100), np.empty(0)), 0.95, 0.2)["controls"]
    assert made.fpr.value == pytest.approx(0.05) and made.fpr.low < 0.05 < made.fpr.high
    assert made.fakes_answered is None and made.tpr is None and made.wrong is None
