"""What networks answered to pictures they had not learnt from: a table of rows, and figures of it."""

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from deepfake_training.data import Sample
from deepfake_training.figures import auc_interval

HELD_OUT, LEFT_OUT = "held out", "left out"  # of a source that was learnt from; of one that was not
SEED = 7


@dataclass(frozen=True)
class Score:
    """`network`'s probability of FAKE for one picture. `part`: HELD_OUT, LEFT_OUT or the split it is of; `without`: the
    source that the network never learnt from ("" where it saw all)."""

    network: str
    without: str
    part: str
    source: str
    group: str
    fake: int
    path: str
    score: float


def scores_of(network: str, without: str, part: str, samples: Iterable[Sample], probability: np.ndarray) -> list[Score]:
    return [
        Score(network, without, part, each.source, each.group, int(each.fake), str(each.path), round(float(value), 6))
        for each, value in zip(samples, probability, strict=True)
    ]


def write_scores(path: Path, scores: Iterable[Score]) -> None:
    """A CSV with a row a score, whole or not at all."""
    partial = path.with_suffix(".partial")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [each.name for each in fields(Score)])
        writer.writeheader()
        writer.writerows(asdict(score) for score in scores)
    partial.replace(path)


def read_scores(path: Path) -> list[Score]:
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Score(**{**row, "fake": int(row["fake"]), "score": float(row["score"])})  # type: ignore[arg-type]
            for row in csv.DictReader(file)
        ]


def figures(scores: list[Score]) -> list[str]:
    """A line for each network, part and source: the AUC with its 95 % interval over groups, or, where there is one
    class alone, the mean score."""
    kinds: dict[tuple[str, str, str, str], list[Score]] = {}
    for score in scores:
        kinds.setdefault((score.network, score.without, score.part, score.source), []).append(score)
    return [f"{_name(*kind)}: {_figure(rows)}" for kind, rows in sorted(kinds.items())]


def _name(network: str, without: str, part: str, source: str) -> str:
    return f"{network}{f' without {without}' if without else ''}, {source} ({part})"


def _figure(rows: list[Score]) -> str:
    fake = np.array([bool(row.fake) for row in rows])
    value = np.array([row.score for row in rows])
    group = np.array([row.group for row in rows])
    counted = f"{(~fake).sum()} real, {fake.sum()} fake, {len(set(group))} groups"
    if fake.all() or not fake.any():
        return f"mean score {value.mean():.3f} ({counted})"
    auc = auc_interval(fake, value, group, SEED)
    return f"AUC {auc.value:.3f} [{auc.low:.3f}, {auc.high:.3f}] ({counted})"
