"""The stacking and what it says about itself."""

import numpy as np
from deepfake_contract.looks import REACHED_BY
from deepfake_contract.stacking import Stacking
from deepfake_training.stack import fit_stack, real_scores, uncertain_band
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def probability(stacking: Stacking, networks: np.ndarray) -> np.ndarray:
    """As the served stacking computes it."""
    return 1 / (1 + np.exp(-sum(stacking.terms(list(networks.T))) - stacking.intercept))


def test_the_numbers_are_scikit_learns():
    random = np.random.default_rng(0)
    y_true = np.arange(300) % 2 == 1
    given = np.clip(random.normal(np.where(y_true, 0.7, 0.3)[:, None], [0.1, 0.3], (300, 2)), 0, 1)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced")).fit(given, y_true)
    fitted = fit_stack(given, y_true, 0.5).stacking
    assert np.allclose(probability(fitted, given), pipeline.predict_proba(given)[:, 1], atol=1e-12)


def test_the_false_positive_rate_counts_reals_called_fake():
    random = np.random.default_rng(0)
    y_true = np.arange(2000) % 2 == 1
    good = np.clip(random.normal(np.where(y_true, 0.7, 0.3), 0.2), 0, 1)
    answers = np.stack([good, random.random(2000), random.random(2000)], axis=1)
    stack = fit_stack(answers, y_true, 0.5)
    joint = probability(stack.stacking, answers)
    assert stack.false_positive_rate == round(float((joint[~y_true] >= 0.5).mean()), 4)
    assert 0.05 < stack.false_positive_rate < 0.3


def test_real_scores_are_what_shares_of_the_reals_reach():
    random = np.random.default_rng(0)
    y_true = np.arange(4000) % 4 == 3
    y_score = random.random(4000)
    scores = real_scores(y_score, y_true)
    for share, score in zip(REACHED_BY, scores, strict=True):
        assert abs(np.mean(y_score[~y_true] >= score) - share) < 0.001
    assert real_scores(y_score[:200], y_true[:200]) is None, "of 150 reals none shows what one in 200 reaches"
    assert real_scores(np.full(4000, 0.5), y_true) is None, "and there is no order among equal ones"


def test_many_more_reals_do_not_make_a_fake_less_likely():
    """Sources with reals only take part in the fit, and say nothing of how common fakes are."""
    random = np.random.default_rng(0)
    even = np.arange(4000) % 2 == 1
    more = np.concatenate([even, np.zeros(12000, bool)])
    answers = np.clip(random.normal(np.where(more, 0.6, 0.4), 0.15)[:, None], 0, 1)
    few, many = fit_stack(answers[:4000], even, 0.5), fit_stack(answers, more, 0.5)
    y_pred = [probability(stack.stacking, answers) >= 0.5 for stack in (few, many)]
    assert np.mean(y_pred[0] != y_pred[1]) < 0.01
    assert abs(few.false_positive_rate - many.false_positive_rate) < 0.02


def test_the_band_weighs_reals_and_fakes_alike():
    """Nine reals to a fake, and every fake within 0.3 of the threshold is missed: a tenth of the answers there, but
    half of what matters."""
    random = np.random.default_rng(0)
    y_score = np.concatenate([random.uniform(0.2, 0.5, 9000), random.uniform(0.2, 0.5, 1000)])
    y_true = np.arange(10000) >= 9000
    assert uncertain_band(y_score, y_true, 0.5) == (0.2, 0.8)


def test_the_band_covers_where_answers_are_often_wrong():
    random = np.random.default_rng(0)
    y_score = random.random(20000)
    # A coin within 0.2 of the threshold, nearly always right outside.
    unsure = np.abs(y_score - 0.5) < 0.2
    y_true = np.where(unsure, random.random(20000) < 0.5, y_score > 0.5)
    assert uncertain_band(y_score, y_true, 0.5) == (0.3, 0.7)


def test_a_perfect_stacking_keeps_a_narrow_band():
    y_score = np.linspace(0, 1, 2000)
    assert uncertain_band(y_score, y_score >= 0.5, 0.5) == (0.45, 0.55)
