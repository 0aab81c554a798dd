"""Intervals of shares: against the textbook, and as often right as they say."""

import numpy as np
import pytest
from deepfake_training.proportions import share, unseen
from scipy.stats import binomtest


@pytest.mark.parametrize(("hits", "number"), [(0, 30), (8, 100), (40, 161), (50, 50)])
def test_files_that_stand_alone_have_wilsons_interval(hits, number):
    made = share(np.arange(number) < hits, np.arange(number))
    expected = binomtest(hits, number).proportion_ci(0.95, "wilson")
    assert made.value == hits / number
    assert (made.low, made.high) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_copies_are_no_more_evidence():
    hits = np.arange(60) < 12
    once = share(hits, np.arange(60))
    copies = share(np.repeat(hits, 5), np.repeat(np.arange(60), 5))
    assert (copies.value, copies.high - copies.low) == pytest.approx((once.value, once.high - once.low), rel=0.02)


def test_files_that_all_agree_count_as_their_groups():
    made = share(np.zeros(100, bool), np.arange(100) // 10)
    assert made.high == pytest.approx(binomtest(0, 10).proportion_ci(0.95, "wilson").high, abs=1e-6)


def test_the_interval_holds_the_share_about_as_often_as_it_says():
    """60 groups of one to eight files, a tenth hits on the whole, groups unlike each other."""
    random = np.random.default_rng(0)
    held = []
    for _ in range(1000):
        own = random.beta(0.5, 4.5, 60)
        group = np.repeat(np.arange(60), random.integers(1, 9, 60))
        made = share(random.random(len(group)) < own[group], group)
        held.append(made.low <= 0.1 <= made.high)
    assert 0.92 < np.mean(held) < 0.98


def test_the_rule_of_three():
    assert unseen(300) == pytest.approx(3 / 300, rel=0.01)
    assert unseen(0) == 1
