"""Everything that an evaluation finds out about a detector's predictions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from deepfake_contract.description import BundleDescription

from deepfake_training.data import Sample
from deepfake_training.kinds import kind_rows
from deepfake_training.measured_rules import RuleFindings, certainty_findings
from deepfake_training.one_class import OneClass, find_one_class, one_class
from deepfake_training.predictions import Prediction, have_answer, y_scores
from deepfake_training.source_rates import Scored
from deepfake_training.strong_evidence import StrongEvidence, strong_evidence
from deepfake_training.subset_findings import SEED, Subset, find_subset, find_subsets
from deepfake_training.subsets import of_rows


@dataclass(frozen=True)
class Degraded:
    """The ensemble's AUC on files as they are, and on the same files degraded."""

    plain: float
    degraded: float


@dataclass(frozen=True)
class Detector:
    """What was evaluated; `networks` by name, in stacking order. `fake_from` and `real_below`: None where it never
    gives strong evidence of a fake, or of a real."""

    name: str
    version: str
    digest: str
    threshold: float
    fake_from: float | None
    real_below: float | None
    networks: tuple[str, ...]


@dataclass(frozen=True)
class Data:
    """What it was evaluated on."""

    name: str
    files: int
    without_answer: int


@dataclass(frozen=True)
class Findings:
    """`command` repeats them. `subsets`: by source, by method of a source, and of all; `one_class`: by source that has
    reals or fakes alone; `kinds`: by kind of fake, None where there is none. `strong_evidence`: by source, of files
    with an answer; empty where the bundle has neither fake_from nor real_below. `error_correlation` [networks,
    networks] of answered files; None where there is too little to correlate. `certainty`: each rule's. `robustness`: by
    degradation and source."""

    command: str
    model: Detector
    data: Data
    seed: int
    subsets: Mapping[str, Subset]
    one_class: Mapping[str, OneClass]
    kinds: Mapping[str, Subset | OneClass | None]
    strong_evidence: Mapping[str, StrongEvidence]
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
    identity, policy = bundle.identity, bundle.policy
    return Findings(
        command,
        Detector(
            identity.name,
            identity.version,
            bundle.digest,
            policy.threshold,
            policy.fake_from,
            policy.real_below,
            bundle.names,
        ),
        Data(data, len(samples), int((~have_answer(predictions)).sum())),
        SEED,
        find_subsets(samples, predictions, bundle),
        find_one_class(samples, predictions, policy),
        find_kinds(samples, predictions, bundle),
        find_strong_evidence(samples, predictions, bundle),
        error_correlation(samples, predictions, bundle.names),
        certainty_findings(samples, predictions, policy),
        robustness,
    )


def find_kinds(
    samples: Sequence[Sample], predictions: Sequence[Prediction], bundle: BundleDescription
) -> dict[str, Subset | OneClass | None]:
    """Of every kind of fake; one whose sources have no reals has shares alone."""
    made: dict[str, Subset | OneClass | None] = {}
    for kind, rows in kind_rows(samples).items():
        of_kind, predicted = of_rows(samples, rows), of_rows(predictions, rows)
        if not of_kind:
            made[kind] = None
        elif all(sample.fake for sample in of_kind):
            made[kind] = one_class(of_kind, predicted, bundle.policy)
        else:
            made[kind] = find_subset(of_kind, predicted, bundle)
    return made


def find_strong_evidence(
    samples: Sequence[Sample], predictions: Sequence[Prediction], bundle: BundleDescription
) -> dict[str, StrongEvidence]:
    """By source, and of their mean, over the files with an answer; nothing where the bundle has no threshold for it."""
    policy = bundle.policy
    scored = scored_files(samples, predictions)
    if policy.fake_from is None and policy.real_below is None:
        return {}
    return strong_evidence(scored, policy.fake_from, policy.real_below)


def scored_files(samples: Sequence[Sample], predictions: Sequence[Prediction]) -> Scored:
    """The files with an answer, their scores the ensemble's."""
    pairs = [(sample, each.y_score) for sample, each in zip(samples, predictions, strict=True) if each.networks]
    return Scored(
        np.array([sample.fake for sample, _ in pairs], dtype=bool),
        np.array([y_score for _, y_score in pairs], dtype=np.float64),
        np.array([sample.source for sample, _ in pairs], dtype=str),
        np.array([sample.group for sample, _ in pairs], dtype=str),
    )


def error_correlation(
    samples: Sequence[Sample], predictions: Sequence[Prediction], names: Sequence[str]
) -> tuple[tuple[float, ...], ...] | None:
    """How the networks' errors go together, where there are two networks and their errors vary."""
    y_true = np.array([sample.fake for sample in samples])
    errors = np.abs(y_scores(samples, predictions, names) - y_true[:, None])[have_answer(predictions), 1:]
    if min(errors.shape) < 2 or not errors.std(axis=0).all():
        return None
    return tuple(map(tuple, np.corrcoef(errors.T).tolist()))
