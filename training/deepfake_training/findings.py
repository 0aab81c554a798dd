"""Everything that an evaluation finds out about a detector's predictions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from deepfake_contract.description import BundleDescription
from sklearn.metrics import roc_auc_score

from deepfake_training.data import Sample
from deepfake_training.figures import Figures, Interval, auc_difference, figures
from deepfake_training.measured_rules import RuleFindings, certainty_findings
from deepfake_training.predictions import Prediction, have_answer, y_scores
from deepfake_training.subsets import subsets

ENSEMBLE = "ensemble"
SEED = 7


@dataclass(frozen=True)
class Gain:
    """The ensemble's AUC less that of its best network alone, which is `over`."""

    over: str
    auc: Interval


@dataclass(frozen=True)
class LowCertainty:
    """The share of answers whose certainty is low; and of these, and of the others, the share that is wrong."""

    share: float
    wrong: float | None
    wrong_among_others: float | None


@dataclass(frozen=True)
class Subset:
    """Of files with both labels; `systems`: the ensemble's figures and each network's."""

    without_answer: int
    systems: Mapping[str, Figures]
    gain: Gain
    low_certainty: LowCertainty


@dataclass(frozen=True)
class Degraded:
    """The ensemble's AUC on files as they are, and on the same files degraded."""

    plain: float
    degraded: float


@dataclass(frozen=True)
class Detector:
    """What was evaluated; `networks` by name, in stacking order."""

    name: str
    version: str
    digest: str
    threshold: float
    networks: tuple[str, ...]


@dataclass(frozen=True)
class Data:
    """What it was evaluated on."""

    name: str
    files: int
    without_answer: int


@dataclass(frozen=True)
class Findings:
    """`command` repeats them. `subsets`: by source, by method of a source, and of all. `error_correlation` [networks,
    networks] of answered files; None where there is too little to correlate. `certainty`: each rule's. `robustness`: by
    degradation and source."""

    command: str
    model: Detector
    data: Data
    seed: int
    subsets: Mapping[str, Subset]
    error_correlation: tuple[tuple[float, ...], ...] | None
    certainty: tuple[RuleFindings, ...]
    robustness: Mapping[str, Mapping[str, Degraded]]


def find(
    samples: Sequence[Sample],
    predictions: Sequence[Prediction],
    bundle: BundleDescription,
    command: str,
    data: str,
    robustness: Mapping[str, Mapping[str, Degraded]],
) -> Findings:
    """All of it; intervals are drawn by group."""
    identity = bundle.identity
    return Findings(
        command,
        Detector(identity.name, identity.version, bundle.digest, bundle.policy.threshold, bundle.names),
        Data(data, len(samples), int((~have_answer(predictions)).sum())),
        SEED,
        find_subsets(samples, predictions, bundle),
        error_correlation(samples, predictions, bundle.names),
        certainty_findings(samples, predictions, bundle.policy),
        robustness,
    )


def find_subsets(
    samples: Sequence[Sample], predictions: Sequence[Prediction], bundle: BundleDescription
) -> dict[str, Subset]:
    """Of each subset that holds reals and fakes."""
    y_true = np.array([sample.fake for sample in samples])
    group = np.array([f"{sample.source}/{sample.group}" for sample in samples])
    scores, answered = y_scores(samples, predictions, bundle.names), have_answer(predictions)
    made = {}
    for name, rows in subsets(samples).items():
        given = y_true[rows], answered[rows], group[rows]
        made[name] = Subset(
            without_answer=int((~answered[rows]).sum()),
            systems={
                system: figures(given[0], y_score, *given[1:], bundle.policy.threshold, SEED)
                for system, y_score in zip((ENSEMBLE, *bundle.names), scores[rows].T, strict=True)
            },
            gain=_gain(y_true[rows], scores[rows], group[rows], bundle.names),
            low_certainty=_low_certainty(y_true[rows], [predictions[row] for row in np.flatnonzero(rows).tolist()]),
        )
    return made


def error_correlation(
    samples: Sequence[Sample], predictions: Sequence[Prediction], names: Sequence[str]
) -> tuple[tuple[float, ...], ...] | None:
    """How the networks' errors go together, where there are two networks and their errors vary."""
    y_true = np.array([sample.fake for sample in samples])
    errors = np.abs(y_scores(samples, predictions, names) - y_true[:, None])[have_answer(predictions), 1:]
    if min(errors.shape) < 2 or not errors.std(axis=0).all():
        return None
    return tuple(map(tuple, np.corrcoef(errors.T).tolist()))


def _gain(y_true: np.ndarray, scores: np.ndarray, group: np.ndarray, names: Sequence[str]) -> Gain:
    best = int(np.argmax([roc_auc_score(y_true, y_score) for y_score in scores.T[1:]]))
    return Gain(names[best], auc_difference(y_true, scores[:, 0], scores[:, 1 + best], group, SEED))


def _low_certainty(y_true: np.ndarray, predictions: Sequence[Prediction]) -> LowCertainty:
    low, high = (
        [
            (each.label == "FAKE") != fake
            for each, fake in zip(predictions, y_true, strict=True)
            if each.certainty == certainty
        ]
        for certainty in ("low", "high")
    )
    return LowCertainty(
        share=len(low) / max(1, len(low) + len(high)),
        wrong=float(np.mean(low)) if low else None,
        wrong_among_others=float(np.mean(high)) if high else None,
    )
