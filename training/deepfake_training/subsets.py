"""The parts of the evaluated files that are judged by themselves."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
from sklearn.metrics import roc_auc_score

from deepfake_training.data import Sample
from deepfake_training.predictions import Prediction, y_scores

ALL = "all"
Item = TypeVar("Item")


def subsets(samples: Sequence[Sample]) -> dict[str, np.ndarray]:
    """Rows, bool [N], by name: of each source, of each of its methods beside all its reals, and of all; those that hold
    reals and fakes."""
    return {f"{source}: {method}" if method else source: rows for source, method, rows in _parts(samples)}


def sources_and_all(samples: Sequence[Sample]) -> dict[str, np.ndarray]:
    """Those of the subsets that are of no method."""
    return {source: rows for source, method, rows in _parts(samples) if not method}


def of_one_class(samples: Sequence[Sample]) -> dict[str, np.ndarray]:
    """Rows, bool [N], of each source that has reals or fakes alone; and of all, where they are several sources of one
    class."""
    y_true = np.array([sample.fake for sample in samples])
    parts = {source: rows for source, method, rows in _divided(samples, y_true) if not method}
    return {source: rows for source, rows in parts.items() if y_true[rows].all() or not y_true[rows].any()}


def of_rows(items: Sequence[Item], rows: np.ndarray) -> list[Item]:
    """Those of the N items whose row is true."""
    return [items[row] for row in np.flatnonzero(rows).tolist()]


def group_names(samples: Sequence[Sample]) -> np.ndarray:
    """What each sample is drawn with, [N]: its group within its source."""
    return np.array([f"{sample.source}/{sample.group}" for sample in samples])


def aucs(samples: Sequence[Sample], predictions: Sequence[Prediction]) -> dict[str, float]:
    """The ensemble's AUC, 0 to 1, of each source and of all."""
    y_true, y_score = np.array([sample.fake for sample in samples]), y_scores(samples, predictions, ())[:, 0]
    return {name: float(roc_auc_score(y_true[rows], y_score[rows])) for name, rows in sources_and_all(samples).items()}


def _parts(samples: Sequence[Sample]) -> Iterator[tuple[str, str, np.ndarray]]:
    """Source (or ALL), method ("" for any) and rows, bool [N], of each part with reals and fakes."""
    y_true = np.array([sample.fake for sample in samples])
    return (part for part in _divided(samples, y_true) if 0 < y_true[part[2]].sum() < part[2].sum())


def _divided(samples: Sequence[Sample], y_true: np.ndarray) -> Iterator[tuple[str, str, np.ndarray]]:
    source, method = (np.array([getattr(sample, name) for sample in samples]) for name in ("source", "method"))
    names = sorted(set(source))
    for name in names:
        yield name, "", source == name
        methods = sorted(set(method[(source == name) & y_true]) - {""})
        for kind in methods if len(methods) > 1 else ():
            yield name, kind, (source == name) & (~y_true | (method == kind))
    if len(names) > 1:
        yield ALL, "", np.full(len(samples), True)
