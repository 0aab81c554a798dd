"""The correction for how many faces were looked at, against real faces drawn by chance."""

from dataclasses import replace

import numpy as np
import pytest
from deepfake_contract.looks import REACHED_BY, corrected
from deepfake_contract.policy import Policy

POLICY = Policy("face", "even", 32, "mean", 0.5, (0.4, 0.6))


def reals(count: int, seed: int) -> np.ndarray:
    """Skewed as scores of real faces are: most are low, a few high."""
    return 1 / (1 + np.exp(-np.random.default_rng(seed).gumbel(-2.0, 1.2, count)))


REAL_SCORES = tuple(np.quantile(reals(200_000, 0), 1 - np.array(REACHED_BY)).tolist())


@pytest.mark.parametrize("looks", [1, 2, 3, 4, 6, 8, 12])
@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8])
def test_of_several_real_faces_the_highest_reaches_a_score_as_often_as_one_alone(looks, threshold):
    alone = float(np.mean(reals(400_000, 1) >= threshold))
    highest = reals(4000 * looks, 2).reshape(4000, looks).max(axis=1)
    reached = float(np.mean([corrected(score, looks, REAL_SCORES) >= threshold for score in highest]))
    assert abs(reached - alone) < 3 * (alone * (1 - alone) / 4000) ** 0.5 + 0.15 * alone
    assert looks < 4 or np.mean(highest >= threshold) > 2 * alone, "as it would be without"


def test_one_face_keeps_its_score_and_more_lower_it():
    scores = [corrected(0.9, looks, REAL_SCORES) for looks in (1, 2, 5, 20)]
    assert scores[0] == 0.9
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("highest", [0.0, 1e-9, 0.999999, 1.0])
def test_the_ends_of_the_scale_stay_probabilities(highest):
    for looks in (2, 30):
        assert 0 <= corrected(highest, looks, REAL_SCORES) <= 1
    assert corrected(1.0, 6, REAL_SCORES) > 0.9, "what no real face reaches stays a sign"


@pytest.mark.parametrize("scores", [REAL_SCORES[:-1], REAL_SCORES[::-1], (0.0, *REAL_SCORES[1:]), (0.5,) * 11])
def test_scores_that_real_faces_can_not_have_are_refused(scores):
    with pytest.raises(ValueError, match="real_scores must be 11 rising numbers between 0 and 1"):
        replace(POLICY, real_scores=scores)
