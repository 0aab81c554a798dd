"""Figures of a detector, from the probabilities it gave and what was true."""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

DRAWS = 1000  # of the bootstrap
INTERVAL = (2.5, 97.5)  # percentiles
BINS = 15  # of the calibration, equal in mass
COVERAGES = (1.0, 0.9, 0.8, 0.7)


@dataclass(frozen=True)
class Interval:
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Figures:
    """`auc` with its 95 % bootstrap interval over whole groups; `eer`: where false positives and misses are equally
    frequent; `tpr_at_fpr`: fakes found at 5 % and at 1 % false positives; `ece`: expected calibration error over 15
    bins of equal mass (Naeini et al. 2015); `aurc`: area under the risk-coverage curve (Geifman and El-Yaniv 2017);
    `risk_at`: share of wrong answers among the surest 100, 90, 80 and 70 %."""

    reals: int
    fakes: int
    auc: Interval
    average_precision: float
    eer: float
    accuracy: float
    false_positive_rate: float
    tpr_at_fpr: dict[str, float]
    brier: float
    ece: float
    aurc: float
    risk_at: dict[str, float]


def figures(
    fake: np.ndarray, probability: np.ndarray, answered: np.ndarray, group: np.ndarray, threshold: float, seed: int
) -> Figures:
    """From bool [N], float [N], bool [N] and group names [N]; both classes must be there."""
    called = probability >= threshold
    false_positives, found, _ = roc_curve(fake, probability)
    curve = risk_coverage(fake, probability, answered, threshold)
    return Figures(
        reals=int((~fake).sum()),
        fakes=int(fake.sum()),
        auc=auc_interval(fake, probability, group, seed),
        average_precision=float(average_precision_score(fake, probability)),
        eer=equal_error_rate(false_positives, found),
        accuracy=float((called == fake).mean()),
        false_positive_rate=float(called[~fake].mean()),
        tpr_at_fpr={f"{rate:.0%}": float(found[false_positives <= rate].max()) for rate in (0.05, 0.01)},
        brier=float(np.square(probability - fake).mean()),
        ece=calibration_error(fake, probability),
        aurc=float(curve.mean()),
        risk_at={f"{share:.0%}": float(curve[max(1, round(share * len(curve))) - 1]) for share in COVERAGES},
    )


def auc_interval(fake: np.ndarray, probability: np.ndarray, group: np.ndarray, seed: int) -> Interval:
    """The area under the ROC curve, and its interval when whole groups are drawn with replacement."""
    drawn = bootstrap_aucs(fake, probability, draws_of(group, seed))
    low, high = np.nanpercentile(drawn, INTERVAL)
    return Interval(float(roc_auc_score(fake, probability)), float(low), float(high))


def auc_difference(fake: np.ndarray, first: np.ndarray, second: np.ndarray, group: np.ndarray, seed: int) -> Interval:
    """How much larger the first's area is, by a paired bootstrap: both are judged on the same draws."""
    draws = draws_of(group, seed)
    drawn = bootstrap_aucs(fake, first, draws) - bootstrap_aucs(fake, second, draws)
    low, high = np.nanpercentile(drawn, INTERVAL)
    return Interval(float(roc_auc_score(fake, first) - roc_auc_score(fake, second)), float(low), float(high))


def draws_of(group: np.ndarray, seed: int) -> np.ndarray:
    """How often each file is in each draw of as many groups as there are, int [DRAWS, N]."""
    names, index = np.unique(group, return_inverse=True)
    counts = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), DRAWS)
    return counts[:, index]


def bootstrap_aucs(fake: np.ndarray, probability: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """The area of each draw, float [DRAWS]; NaN where a draw has one class only. Ties count half."""
    _, rank = np.unique(probability, return_inverse=True)
    order = np.argsort(rank, kind="stable")
    starts = np.flatnonzero(np.diff(rank[order], prepend=-1))
    fakes, reals = (np.add.reduceat((draws * side)[:, order], starts, axis=1) for side in (fake, ~fake))
    below = np.cumsum(reals, axis=1) - reals
    pairs = fakes.sum(axis=1) * reals.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return (fakes * (below + reals / 2)).sum(axis=1) / pairs


def equal_error_rate(false_positives: np.ndarray, found: np.ndarray) -> float:
    """Where the ROC curve crosses the line of equal errors, between its points."""
    gap = false_positives - (1 - found)
    after = int(np.argmax(gap >= 0))
    if after == 0:
        return float(false_positives[0])
    step = -gap[after - 1] / (gap[after] - gap[after - 1])
    return float(false_positives[after - 1] + step * (false_positives[after] - false_positives[after - 1]))


def reliability(fake: np.ndarray, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean probability, share of fakes and size of each bin."""
    by_chance = np.random.default_rng(0).random(len(probability))  # among equals, else the files' order would count
    bins = [part for part in np.array_split(np.lexsort((by_chance, probability)), BINS) if len(part)]
    means = [(probability[part].mean(), fake[part].mean(), len(part)) for part in bins]
    return tuple(np.array(column) for column in zip(*means, strict=True))  # type: ignore[return-value]


def calibration_error(fake: np.ndarray, probability: np.ndarray) -> float:
    said, true, size = reliability(fake, probability)
    return float((np.abs(said - true) * size).sum() / size.sum())


def risk_coverage(fake: np.ndarray, probability: np.ndarray, answered: np.ndarray, threshold: float) -> np.ndarray:
    """The share of wrong answers among the n surest, for n from 1 to N; the surest are farthest from the threshold, and
    no answer is the least sure."""
    order = np.argsort(np.where(answered, -np.abs(probability - threshold), 1.0), kind="stable")
    wrong = ((probability >= threshold) != fake)[order]
    return np.cumsum(wrong) / np.arange(1, len(wrong) + 1)
