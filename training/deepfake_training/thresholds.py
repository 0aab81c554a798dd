"""From which score on an answer is strong evidence: `fake_from` and `real_below` of a bundle's policy, fitted."""

import numpy as np

from deepfake_training.interval import INTERVAL
from deepfake_training.source_rates import Reaching, Scored, as_it_is, reaching, with_draws

MOST_REALS = 0.03  # share that may reach fake_from
RATIO, LEAST_RATIO = 10, 5  # of TPR to FPR at fake_from: its value, and the lower end of its 95 % interval
MOST_FAKES = 0.10  # share that may lie below real_below
MOST_WRONG = 0.20  # share of the answers below real_below, were reals and fakes equally common
MOST_WRONG_AT_WORST = 1 / 3  # the upper end of its interval: half the odds, as at fake_from
LOW, HIGH = INTERVAL
ROUNDING = 1e-9  # of floating point, where a share is just what it may be


def fit_thresholds(
    y_true: np.ndarray, y_score: np.ndarray, source: np.ndarray, group: np.ndarray
) -> tuple[float | None, float | None]:
    """(fake_from, real_below) from files of sources that the networks never learnt from: whether each is fake, bool
    [N], its score, float [N], and the names of its source and, within that, of its group, [N]. Each source weighs the
    same; one with a single class counts for the rate that it has.

    `fake_from`: the lowest score that at most MOST_REALS of the reals reach and where TPR / FPR is at least RATIO, its
    interval (draws of whole groups within each source) from LEAST_RATIO on. `real_below`: the highest score, lower than
    fake_from, below which at most MOST_FAKES of the fakes lie and at most MOST_WRONG of the answers are wrong, its
    interval up to MOST_WRONG_AT_WORST. None where no score that was observed is like that, or a class is missing.
    """
    scored = Scored(y_true.astype(bool), y_score, source, group)
    cuts = np.unique(y_score)
    reals, fakes = reaching(scored, cuts, as_it_is)
    if reals is None or fakes is None:
        return None, None
    fpr, tpr = reals.shares[0], fakes.shares[0]
    # Where no real reaches the cut any TPR is ratio enough, and the interval decides.
    may = cuts[(fpr <= MOST_REALS + ROUNDING) & (tpr >= RATIO * fpr - ROUNDING)]
    fake_from = next(iter(may[_least_ratio(scored, may) >= LEAST_RATIO].tolist()), None)
    missed, found = 1 - tpr, 1 - fpr  # shares of the fakes, and of the reals, that lie below each score
    good = (missed <= MOST_FAKES + ROUNDING) & (missed <= MOST_WRONG * (missed + found) + ROUNDING) & (found > 0)
    below = cuts[good & (cuts < (np.inf if fake_from is None else fake_from))]
    return fake_from, next(iter(below[_most_wrong(scored, below) <= MOST_WRONG_AT_WORST][::-1].tolist()), None)


def _least_ratio(scored: Scored, cuts: np.ndarray) -> np.ndarray:
    """Lower end of the interval of TPR / FPR at each cut. An FPR counts as no less than what goes well with not one
    real (rule of three), so that few reals prove no large ratio."""
    reals, fakes = _drawn(scored, cuts)
    return np.nanpercentile(fakes.shares[1:] / np.maximum(reals.shares[1:], reals.unseen), LOW, axis=0)


def _most_wrong(scored: Scored, cuts: np.ndarray) -> np.ndarray:
    """Upper end of the interval of the share of wrong answers below each cut; of fakes missed it holds the same."""
    reals, fakes = _drawn(scored, cuts)
    missed = np.maximum(1 - fakes.shares[1:], fakes.unseen)
    return np.nanpercentile(missed / (missed + 1 - reals.shares[1:]), HIGH, axis=0)


def _drawn(scored: Scored, cuts: np.ndarray) -> tuple[Reaching, Reaching]:
    reals, fakes = reaching(scored, cuts, with_draws)
    assert isinstance(reals, Reaching) and isinstance(fakes, Reaching)  # both classes are there
    return reals, fakes
