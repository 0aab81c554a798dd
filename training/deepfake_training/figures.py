"""Figures of a detector, from the probabilities it gave and what was true."""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from deepfake_training.interval import INTERVAL, Interval
from deepfake_training.proportions import share

DRAWS = 1000  # of the bootstrap
BINS = 15  # of the calibration, equal in mass
COVERAGES = (1.0, 0.9, 0.8, 0.7)


@dataclass(frozen=True)
class Figures:
    """All rates are shares from 0 to 1. `auc` with its 95 % bootstrap interval over whole groups; `eer`: where false
    positives and misses are equally frequent; `true_positive_rate`, `false_positive_rate`: at the threshold, the
    accuracy for fakes and 1 less that for reals; `tpr_at_fpr`: TPR at an FPR of 5 % and of 1 %; `ece`: expected
    calibration error over 15 bins of equal mass (Naeini et al. 2015); `aurc`: area under the risk-coverage curve
    (Geifman and El-Yaniv 2017); `risk_at`: share of wrong answers among the surest 100, 90, 80 and 70 %."""

    reals: int
    fakes: int
    auc: Interval
    average_precision: float
    eer: float
    accuracy: float
    true_positive_rate: Interval
    false_positive_rate: Interval
    tpr_at_fpr: dict[str, float]
    brier: float
    ece: float
    aurc: float
    risk_at: dict[str, float]


def figures(
    y_true: np.ndarray, y_score: np.ndarray, answered: np.ndarray, group: np.ndarray, threshold: float, seed: int
) -> Figures:
    """From bool [N], float [N], bool [N] and group names [N]; both classes must be there."""
    y_pred = y_score >= threshold
    fpr, tpr, _ = roc_curve(y_true, y_score)
    curve = risk_coverage(y_true, y_score, answered, threshold)
    return Figures(
        reals=int((~y_true).sum()),
        fakes=int(y_true.sum()),
        auc=auc_interval(y_true, y_score, group, seed),
        average_precision=float(average_precision_score(y_true, y_score)),
        eer=equal_error_rate(fpr, tpr),
        accuracy=float((y_pred == y_true).mean()),
        true_positive_rate=share(y_pred[y_true], group[y_true]),
        false_positive_rate=share(y_pred[~y_true], group[~y_true]),
        tpr_at_fpr={f"{rate:.0%}": float(tpr[fpr <= rate].max()) for rate in (0.05, 0.01)},
        brier=float(np.square(y_score - y_true).mean()),
        ece=calibration_error(y_true, y_score),
        aurc=float(curve.mean()),
        risk_at={f"{share:.0%}": float(curve[max(1, round(share * len(curve))) - 1]) for share in COVERAGES},
    )


def auc_interval(y_true: np.ndarray, y_score: np.ndarray, group: np.ndarray, seed: int) -> Interval:
    """The AUC, and its interval when whole groups are drawn with replacement."""
    drawn = bootstrap_aucs(y_true, y_score, draws_of(group, seed))
    low, high = np.nanpercentile(drawn, INTERVAL)
    return Interval(float(roc_auc_score(y_true, y_score)), float(low), float(high))


def auc_difference(y_true: np.ndarray, first: np.ndarray, second: np.ndarray, group: np.ndarray, seed: int) -> Interval:
    """How much larger the first's AUC is, by a paired bootstrap: both are judged on the same draws."""
    draws = draws_of(group, seed)
    drawn = bootstrap_aucs(y_true, first, draws) - bootstrap_aucs(y_true, second, draws)
    low, high = np.nanpercentile(drawn, INTERVAL)
    return Interval(float(roc_auc_score(y_true, first) - roc_auc_score(y_true, second)), float(low), float(high))


def draws_of(group: np.ndarray, seed: int) -> np.ndarray:
    """How often each file is in each draw of as many groups as there are, int [DRAWS, N]."""
    names, index = np.unique(group, return_inverse=True)
    counts = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), DRAWS)
    return counts[:, index]


def bootstrap_aucs(y_true: np.ndarray, y_score: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """The AUC of each draw, float [DRAWS]; NaN where a draw has one class only. Ties count half."""
    _, rank = np.unique(y_score, return_inverse=True)
    order = np.argsort(rank, kind="stable")
    starts = np.flatnonzero(np.diff(rank[order], prepend=-1))
    fakes, reals = (np.add.reduceat((draws * side)[:, order], starts, axis=1) for side in (y_true, ~y_true))
    below = np.cumsum(reals, axis=1) - reals
    pairs = fakes.sum(axis=1) * reals.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return (fakes * (below + reals / 2)).sum(axis=1) / pairs


def equal_error_rate(fpr: np.ndarray, tpr: np.ndarray) -> float:
    """The rate, 0 to 1, at which false positives and misses are equally frequent, between the ROC curve's points `fpr`
    and `tpr`, float [points]."""
    gap = fpr - (1 - tpr)
    after = int(np.argmax(gap >= 0))
    if after == 0:
        return float(fpr[0])
    step = -gap[after - 1] / (gap[after] - gap[after - 1])
    return float(fpr[after - 1] + step * (fpr[after] - fpr[after - 1]))


def reliability(y_true: np.ndarray, y_score: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean y_score, share of fakes and number of files of each bin, [bins] each, from bool [N] and float [N]; up to
    BINS bins of equal size, by rising y_score."""
    by_chance = np.random.default_rng(0).random(len(y_score))  # among equals, else the files' order would count
    bins = [part for part in np.array_split(np.lexsort((by_chance, y_score)), BINS) if len(part)]
    means = [(y_score[part].mean(), y_true[part].mean(), len(part)) for part in bins]
    return tuple(np.array(column) for column in zip(*means, strict=True))  # type: ignore[return-value]


def calibration_error(y_true: np.ndarray, y_score: np.ndarray) -> float:
    """How far y_score is from the share of fakes, 0 to 1: the mean over the bins of `reliability`, by their size."""
    said, true, size = reliability(y_true, y_score)
    return float((np.abs(said - true) * size).sum() / size.sum())


def risk_coverage(y_true: np.ndarray, y_score: np.ndarray, answered: np.ndarray, threshold: float) -> np.ndarray:
    """The share of wrong answers among the n surest, for n from 1 to N; the surest are farthest from the threshold, and
    no answer is the least sure."""
    order = np.argsort(np.where(answered, -np.abs(y_score - threshold), 1.0), kind="stable")
    wrong = ((y_score >= threshold) != y_true)[order]
    return np.cumsum(wrong) / np.arange(1, len(wrong) + 1)
