"""Joins the networks' probabilities, and measures how far the joint one may be trusted."""

from dataclasses import dataclass

import numpy as np
from deepfake_contract.looks import REACHED_BY
from deepfake_contract.stacking import Stacking
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.utils import compute_sample_weight

from deepfake_training.rule_numbers import BANDS, RING, band, loosest


@dataclass(frozen=True)
class Fitted:
    """`stacking`, and its `false_positive_rate` and `uncertain` band: measured on the very pictures it was fitted on,
    as they are and augmented, which no network has learnt from."""

    stacking: Stacking
    false_positive_rate: float
    uncertain: tuple[float, float]


def fit_stack(
    probabilities: np.ndarray, y_true: np.ndarray, threshold: float, source: np.ndarray | None = None
) -> Fitted:
    """From the networks' probabilities [N, networks] of pictures that they have not learnt from and whether each is
    fake, bool [N].

    Reals and fakes weigh alike, however many there are of each: how many were collected says nothing of how common
    fakes are where the answers are used. With `source` [N], names, each source weighs the same too.
    """
    scaler = StandardScaler().fit(probabilities)
    standardised = scaler.transform(probabilities)
    kinds = y_true.astype(int) if source is None else np.char.add(source.astype(str), y_true.astype(str))
    weight = compute_sample_weight("balanced", kinds)
    if source is not None:  # of a source with one class the other is missing: the classes weigh alike all the same
        weight *= compute_sample_weight("balanced", y_true)
    regression = LogisticRegression().fit(standardised, y_true.astype(int), sample_weight=weight)
    stacking = Stacking(
        mean=tuple(scaler.mean_.tolist()),
        scale=tuple(scaler.scale_.tolist()),
        coefficients=tuple(regression.coef_[0].tolist()),
        intercept=float(regression.intercept_[0]),
    )
    y_score = stacked(stacking, probabilities)
    rate = false_positive_rate(y_score, y_true, threshold)
    return Fitted(stacking, rate, uncertain_band(y_score, y_true, threshold))


def stacked(stacking: Stacking, probabilities: np.ndarray) -> np.ndarray:
    """The joint probability of FAKE, float [N], from the networks' [N, networks]."""
    logit = sum(stacking.terms(list(probabilities.T))) + stacking.intercept
    return 1 / (1 + np.exp(-logit))


def false_positive_rate(y_score: np.ndarray, y_true: np.ndarray, threshold: float) -> float:
    """The share of reals that reach the threshold, to four digits."""
    return round(float((y_score[~y_true] >= threshold).mean()), 4)


def real_scores(y_score: np.ndarray, y_true: np.ndarray) -> tuple[float, ...] | None:
    """A policy's `real_scores`, to six digits; None where the reals are too few for a rare score, or many alike."""
    reals = y_score[~y_true]
    if len(reals) * min(REACHED_BY) < 1:
        return None
    scores = tuple(round(float(each), 6) for each in np.quantile(reals, 1 - np.array(REACHED_BY)))
    return scores if len(set(scores)) == len(scores) else None


def uncertain_band(y_score: np.ndarray, y_true: np.ndarray, threshold: float) -> tuple[float, float]:
    """The probabilities around the threshold at which too many answers are wrong, at least RING on each side."""
    distance = np.abs(y_score - threshold)
    wrong = (y_score >= threshold) != y_true
    return band(threshold, loosest(BANDS, lambda edge: distance < edge, wrong, y_true) or RING)
