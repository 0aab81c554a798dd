"""What a bundle's `fake_from` and `real_below` give on labelled files: how many get an answer, how many are wrong."""

from dataclasses import dataclass

import numpy as np

from deepfake_training.interval import INTERVAL, Interval
from deepfake_training.source_rates import Reaching, Scored, reaching, with_draws

MEAN = "mean of the sources"


@dataclass(frozen=True)
class StrongEvidence:
    """Of one source, or the mean of all; shares from 0 to 1, each with its 95 % interval (draws of whole groups).

    `reals_answered`, `fakes_answered`: those of at least fake_from or below real_below. `wrong`: share of these answers
    that are, were reals and fakes equally common. `tpr`, `fpr`: at fake_from. None where there is no such threshold,
    class or answer.
    """

    reals_answered: Interval | None
    fakes_answered: Interval | None
    wrong: Interval | None
    tpr: Interval | None
    fpr: Interval | None


def strong_evidence(scored: Scored, fake_from: float | None, real_below: float | None) -> dict[str, StrongEvidence]:
    """By source; where there are several, of their mean too."""
    parts = {name: scored.of_source(name) for name in np.unique(scored.source).tolist()}
    return {
        name: _evidence(part, fake_from, real_below)
        for name, part in (parts | ({MEAN: scored} if len(parts) > 1 else {})).items()
    }


def _evidence(scored: Scored, fake_from: float | None, real_below: float | None) -> StrongEvidence:
    # A threshold that is not there is one that no score is beyond.
    cuts = np.array([-np.inf if real_below is None else real_below, np.inf if fake_from is None else fake_from])
    reals, fakes = reaching(scored, cuts, with_draws)
    at = fake_from is not None
    return StrongEvidence(
        reals_answered=_interval(_answered(reals), reals.unseen) if reals else None,
        fakes_answered=_interval(_answered(fakes), fakes.unseen) if fakes else None,
        wrong=_wrong(reals, fakes) if reals and fakes else None,
        tpr=_interval(fakes.shares[:, 1], fakes.unseen) if fakes and at else None,
        fpr=_interval(reals.shares[:, 1], reals.unseen) if reals and at else None,
    )


def _answered(of: Reaching) -> np.ndarray:
    return of.shares[:, 1] + 1 - of.shares[:, 0]


def _wrong(reals: Reaching, fakes: Reaching) -> Interval | None:
    answered = _answered(reals) + _answered(fakes)
    if not answered[0] > 0:
        return None
    with np.errstate(invalid="ignore"):
        wrong = (reals.shares[:, 1] + 1 - fakes.shares[:, 0]) / answered
    return _interval(wrong, min(1.0, max(reals.unseen, fakes.unseen) / answered[0]))


def _interval(shares: np.ndarray, unseen: float) -> Interval:
    """From the share as it is and in each draw. Draws of nothing but noes, or yeses, are all alike: there `unseen` is
    how far the other end may be."""
    value = float(shares[0])
    low, high = np.nanpercentile(shares[1:], INTERVAL)
    return Interval(
        value,
        min(float(low), 1 - unseen) if value == 1 else float(low),
        max(float(high), unseen) if value == 0 else float(high),
    )
