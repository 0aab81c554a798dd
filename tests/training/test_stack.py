"""The stacking and what it says about itself."""

import numpy as np
from deepfake_training.stack import fit_stack, uncertain_band


def test_the_false_positive_rate_counts_reals_called_fake():
    random = np.random.default_rng(0)
    fake = np.arange(2000) % 2 == 1
    good = np.clip(random.normal(np.where(fake, 0.7, 0.3), 0.2), 0, 1)
    answers = np.stack([good, random.random(2000), random.random(2000)], axis=1)
    stack = fit_stack(answers, fake)
    joint = stack.regression.predict_proba(stack.scaler.transform(answers))[:, 1]
    assert stack.false_positive_rate == round(float((joint[~fake] >= 0.5).mean()), 4)
    assert 0.05 < stack.false_positive_rate < 0.3


def test_many_more_reals_do_not_make_a_fake_less_likely():
    """Sources with reals only take part in the fit, and say nothing of how common fakes are."""
    random = np.random.default_rng(0)
    even = np.arange(4000) % 2 == 1
    more = np.concatenate([even, np.zeros(12000, bool)])
    answers = np.clip(random.normal(np.where(more, 0.6, 0.4), 0.15)[:, None], 0, 1)
    few, many = fit_stack(answers[:4000], even), fit_stack(answers, more)
    called = [stack.regression.predict_proba(stack.scaler.transform(answers))[:, 1] >= 0.5 for stack in (few, many)]
    assert np.mean(called[0] != called[1]) < 0.01
    assert abs(few.false_positive_rate - many.false_positive_rate) < 0.02


def test_the_band_weighs_reals_and_fakes_alike():
    """Nine reals to a fake, and every fake within 0.3 of the threshold is missed: a tenth of the answers there, but
    half of what matters."""
    random = np.random.default_rng(0)
    probability = np.concatenate([random.uniform(0.2, 0.5, 9000), random.uniform(0.2, 0.5, 1000)])
    fake = np.arange(10000) >= 9000
    assert uncertain_band(probability, fake) == (0.2, 0.8)


def test_the_band_covers_where_answers_are_often_wrong():
    random = np.random.default_rng(0)
    probability = random.random(20000)
    # A coin within 0.2 of the threshold, nearly always right outside.
    unsure = np.abs(probability - 0.5) < 0.2
    fake = np.where(unsure, random.random(20000) < 0.5, probability > 0.5)
    assert uncertain_band(probability, fake) == (0.3, 0.7)


def test_a_perfect_stacking_keeps_a_narrow_band():
    probability = np.linspace(0, 1, 2000)
    assert uncertain_band(probability, probability >= 0.5) == (0.45, 0.55)
