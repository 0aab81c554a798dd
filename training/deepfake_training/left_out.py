"""The stacking, fitted on kinds that networks know and on kinds that they never saw, which weigh alike; and thresholds
of strong evidence, fitted on the second alone.

Fitted on held-out pictures of the sources learnt from alone, a stacking trusts most the network that knows these best,
and is sure where it should not be; fitted on sources left out alone, it forgets what is known.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from deepfake_contract.errors import UsageError
from deepfake_contract.policy import Policy
from deepfake_contract.stacking import Stacking
from scipy.stats import spearmanr

from deepfake_training.figures import auc_interval, calibration_error
from deepfake_training.scores import LEFT_OUT, SEED, read_scores
from deepfake_training.stack import fit_stack, stacked, uncertain_band
from deepfake_training.thresholds import fit_thresholds

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LeftOut:
    """Pictures of sources left out, or of groups held out: `probabilities` float [N, networks], each network's;
    `y_true` bool [N]; the names of `source` and `group`, and the `path` [N]."""

    probabilities: np.ndarray
    y_true: np.ndarray
    source: np.ndarray
    group: np.ndarray
    path: np.ndarray

    def rows(self, which: np.ndarray) -> "LeftOut":
        """Some of them, by a bool [N]."""
        return LeftOut(*(getattr(self, each.name)[which] for each in fields(self)))

    def of_networks(self, indices: Sequence[int]) -> "LeftOut":
        """With the probabilities of these networks alone."""
        return replace(self, probabilities=self.probabilities[:, list(indices)])


def read_left_out(table: Path, networks: Sequence[str]) -> LeftOut:
    """The pictures of which all networks have a score; UsageError where a network or a second source is missing."""
    of_picture: dict[tuple[str, str], dict[str, float]] = {}
    facts = {}
    for score in read_scores(table):
        if score.part == LEFT_OUT:
            picture = score.source, score.path
            of_picture.setdefault(picture, {})[score.network] = score.y_score
            facts[picture] = bool(score.y_true), score.source, score.group
    known = {network for scores in of_picture.values() for network in scores}
    if missing := [network for network in networks if network not in known]:
        raise UsageError(f"{table} has no scores of {', '.join(missing)}: run `deepfake train --without all` for them.")
    rows = [picture for picture, scores in of_picture.items() if set(networks) <= set(scores)]
    y_true, source, group = (np.array(column) for column in zip(*(facts[row] for row in rows), strict=True))
    if len(set(source)) < 2:
        raise UsageError(f"{table} has scores of one source alone; a stacking needs two: leave out all in turn.")
    probabilities = np.array([[of_picture[row][network] for network in networks] for row in rows])
    return LeftOut(probabilities, y_true, source, group, np.array([path for _, path in rows]))


def earning(left_out: LeftOut, known: LeftOut, threshold: float) -> list[int]:
    """Which networks the stacking gives weights above 0, by index: while there is another, the one with the lowest
    weight is left out. What no weight above 0 goes to only costs time."""
    kept = list(range(left_out.probabilities.shape[1]))
    while True:
        weights = _fit(left_out.of_networks(kept), known.of_networks(kept), threshold).coefficients
        lowest = int(np.argmin(weights))
        if weights[lowest] > 0 or len(kept) == 1:
            return kept
        del kept[lowest]


def fitted_policy(
    left_out: LeftOut, known: LeftOut, policy: Policy, details: Mapping[str, float]
) -> tuple[Stacking, Policy]:
    """The stacking fitted on all sources, those left out and the `known` ones (their held-out groups), each weighing
    the same; and the policy with `fake_from` and `real_below`: from each left-out source's scores by a stacking that
    knows nothing of it. `details`: each left-out picture's fine detail, by path, for the log."""
    stacking = _fit(left_out, known, policy.threshold)
    scores = cross_fitted(left_out, known, policy.threshold)
    for line in judged(left_out, scores, np.array([details[path] for path in left_out.path])):
        log.info("%s", line)
    fake_from, real_below = fit_thresholds(left_out.y_true, scores, left_out.source, left_out.group)
    band = uncertain_band(stacked(stacking, known.probabilities), known.y_true, policy.threshold)
    return stacking, replace(policy, uncertain=band, fake_from=fake_from, real_below=real_below)


def cross_fitted(left_out: LeftOut, known: LeftOut, threshold: float) -> np.ndarray:
    """Scores float [N], of each left-out source by a stacking that was fitted on the others alone."""
    scores = np.empty(len(left_out.y_true))
    for source in sorted(set(left_out.source)):
        own = left_out.source == source
        stacking = _fit(left_out.rows(~own), known.rows(known.source != source), threshold)
        scores[own] = stacked(stacking, left_out.probabilities[own])
    return scores


def _fit(left_out: LeftOut, known: LeftOut, threshold: float) -> Stacking:
    parts = left_out, known
    probabilities = np.concatenate([part.probabilities for part in parts])
    y_true = np.concatenate([part.y_true for part in parts])
    source = np.concatenate([np.char.add("left out ", left_out.source), known.source])
    return fit_stack(probabilities, y_true, threshold, source).stacking


def judged(left_out: LeftOut, scores: np.ndarray, details: np.ndarray) -> list[str]:
    """A line for each source, and for all: AUC with its 95 % interval over groups, expected calibration error, and how
    the scores of reals go with their fine detail, float [N] (rank correlation; 0 where crisp says nothing)."""
    lines = []
    aucs = []
    for source in sorted(set(left_out.source)):
        own = left_out.source == source
        y_true, y_score = left_out.y_true[own], scores[own]
        auc = auc_interval(y_true, y_score, left_out.group[own], SEED)
        aucs.append(auc.value)
        error = calibration_error(y_true, y_score)
        reals = own & ~left_out.y_true
        together = float(spearmanr(scores[reals], details[reals]).statistic)
        figures = f"AUC {auc.value:.3f} [{auc.low:.3f}, {auc.high:.3f}], ECE {error:.3f}"
        lines.append(f"{source} (left out): {figures}, reals' score with detail {together:+.2f}")
    lines.append(f"mean AUC {np.mean(aucs):.3f}, ECE {calibration_error(left_out.y_true, scores):.3f}")
    return lines
