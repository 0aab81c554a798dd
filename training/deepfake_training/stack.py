"""Joins the networks' answers, and measures how far the joint answer may be trusted."""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

THRESHOLD = 0.5
BAND_ERROR = 0.35  # answers are called uncertain where more than this share of them is wrong
WIDEST_BAND = 0.3  # on each side of the threshold
SMALLEST_BAND = 0.05
FEW = 20  # answers that are too few to judge by


@dataclass(frozen=True)
class Stack:
    """Fitted estimators; `false_positive_rate` at the threshold 0.5 and the `uncertain` band, both measured on the
    very pictures they were fitted on, as they are and worn, which no network has learnt from."""

    scaler: StandardScaler
    regression: LogisticRegression
    false_positive_rate: float
    uncertain: tuple[float, float]


def fit_stack(answers: np.ndarray, fake: np.ndarray) -> Stack:
    """From the networks' probabilities [N, networks] of held-out pictures and whether each is fake, bool [N].

    Reals and fakes weigh alike, however many there are of each: how many were collected says nothing of how common
    fakes are where the answers are used.
    """
    scaler = StandardScaler().fit(answers)
    regression = LogisticRegression(class_weight="balanced").fit(scaler.transform(answers), fake.astype(int))
    joint = regression.predict_proba(scaler.transform(answers))[:, 1]
    rate = float((joint[~fake] >= THRESHOLD).mean())
    return Stack(scaler, regression, round(rate, 4), uncertain_band(joint, fake))


def uncertain_band(probability: np.ndarray, fake: np.ndarray) -> tuple[float, float]:
    """The probabilities around the threshold at which more than BAND_ERROR of the answers are wrong, if reals and
    fakes were equally common.

    Grown in rings of 0.05 from the inside, until the next ring on both sides together is known to err less.
    """
    wrong = (probability >= THRESHOLD) != fake
    weight = 1 / np.where(fake, fake.sum(), (~fake).sum())
    distance = np.abs(probability - THRESHOLD)
    edge = SMALLEST_BAND
    while edge < WIDEST_BAND:
        ring = (distance >= edge) & (distance < edge + 0.05)
        if ring.sum() >= FEW and np.average(wrong[ring], weights=weight[ring]) <= BAND_ERROR:
            break
        edge += 0.05
    return round(THRESHOLD - edge, 2), round(THRESHOLD + edge, 2)
