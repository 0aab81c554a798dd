"""Everything that is found out about a detector's answers, as plain JSON types."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
from deepfake_contract.tensors import ROLES
from sklearn.metrics import roc_auc_score

from deepfake_training.figures import auc_difference, figures
from deepfake_training.labelled import LabelledFile
from deepfake_training.predictions import Answer, have_answer, scores

ENSEMBLE = "ensemble"
SYSTEMS = (ENSEMBLE, *ROLES)
ALL = "all"


def findings(files: list[LabelledFile], answers: list[Answer], threshold: float, seed: int) -> dict[str, Any]:
    """Figures of each subset that holds reals and fakes, and how the networks' errors go together."""
    fake = np.array([file.fake for file in files])
    group = np.array([f"{file.source}/{file.group}" for file in files])
    given, answered = scores(files, answers), have_answer(answers)
    found: dict[str, Any] = {"subsets": {}}
    for name, rows in subsets(files):
        if not 0 < fake[rows].sum() < rows.sum():
            continue
        some = [answer for answer, kept in zip(answers, rows, strict=True) if kept]
        found["subsets"][name] = {
            "without_answer": sum(answer.networks is None for answer in some),
            "systems": {
                system: asdict(figures(fake[rows], column, answered[rows], group[rows], threshold, seed))
                for system, column in zip(SYSTEMS, given[rows].T, strict=True)
            },
            "gain": _gain(fake[rows], given[rows], group[rows], seed),
            "low_certainty": _low_certainty(fake[rows], some),
        }
    errors = np.abs(given - fake[:, None])[answered, 1:]
    if len(errors) > 1 and errors.std(axis=0).all():
        found["error_correlation"] = np.corrcoef(errors.T).tolist()
    return found


def subsets(files: list[LabelledFile]) -> Iterator[tuple[str, np.ndarray]]:
    """Name and rows, bool [N]: of each source, of each of its methods beside all its reals, and of all."""
    source, method = (np.array([getattr(file, name) for file in files]) for name in ("source", "method"))
    fake = np.array([file.fake for file in files])
    names = sorted(set(source))
    for name in names:
        yield name, source == name
        methods = sorted(set(method[(source == name) & fake]) - {""})
        for kind in methods if len(methods) > 1 else ():
            yield f"{name}: {kind}", (source == name) & (~fake | (method == kind))
    if len(names) > 1:
        yield ALL, np.full(len(files), True)


def _gain(fake: np.ndarray, given: np.ndarray, group: np.ndarray, seed: int) -> dict[str, Any]:
    """The ensemble's area less that of its best network alone."""
    areas = [roc_auc_score(fake, column) for column in given.T[1:]]
    best = int(np.argmax(areas))
    return {"over": ROLES[best], **asdict(auc_difference(fake, given[:, 0], given[:, 1 + best], group, seed))}


def _low_certainty(fake: np.ndarray, answers: list[Answer]) -> dict[str, Any]:
    """How many answers are called low in certainty, and how many of them, and of the others, are wrong."""
    low, high = (
        [
            (answer.label == "FAKE") != truth
            for answer, truth in zip(answers, fake, strict=True)
            if answer.certainty == certainty
        ]
        for certainty in ("low", "high")
    )
    return {
        "share": len(low) / max(1, len(low) + len(high)),
        "wrong": float(np.mean(low)) if low else None,
        "wrong_among_others": float(np.mean(high)) if high else None,
    }
