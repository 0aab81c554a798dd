"""What an evaluation finds out about one part of the files, which has reals and fakes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from deepfake_contract.description import BundleDescription
from sklearn.metrics import roc_auc_score

from deepfake_training.data import Sample
from deepfake_training.figures import Figures, auc_difference, figures
from deepfake_training.interval import Interval
from deepfake_training.predictions import Prediction, frame_scores, have_answer, y_scores
from deepfake_training.subsets import group_names, of_rows, subsets

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
    """Of files with both labels; `systems`: the ensemble's figures and each network's. `frame_auc`: the ensemble's AUC
    over single frames, None where each file has one."""

    without_answer: int
    systems: Mapping[str, Figures]
    frame_auc: float | None
    gain: Gain
    low_certainty: LowCertainty


def find_subsets(
    samples: Sequence[Sample], predictions: Sequence[Prediction], bundle: BundleDescription
) -> dict[str, Subset]:
    """Of each subset that holds reals and fakes."""
    return {
        name: find_subset(of_rows(samples, rows), of_rows(predictions, rows), bundle)
        for name, rows in subsets(samples).items()
    }


def find_subset(samples: Sequence[Sample], predictions: Sequence[Prediction], bundle: BundleDescription) -> Subset:
    """Of files among which are reals and fakes; intervals are drawn by group."""
    y_true, group = np.array([sample.fake for sample in samples]), group_names(samples)
    scores, answered = y_scores(samples, predictions, bundle.names), have_answer(predictions)
    threshold = bundle.policy.threshold
    return Subset(
        without_answer=int((~answered).sum()),
        systems={
            system: figures(y_true, y_score, answered, group, threshold, SEED)
            for system, y_score in zip((ENSEMBLE, *bundle.names), scores.T, strict=True)
        },
        frame_auc=_frame_auc(samples, predictions),
        gain=_gain(y_true, scores, group, bundle.names),
        low_certainty=_low_certainty(y_true, predictions),
    )


def _frame_auc(samples: Sequence[Sample], predictions: Sequence[Prediction]) -> float | None:
    if all(len(each.frame_scores) < 2 for each in predictions):
        return None
    return float(roc_auc_score(*frame_scores(samples, predictions)))


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
