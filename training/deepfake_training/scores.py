"""What networks predicted for pictures they had not learnt from: a table of rows, and figures of it."""

import csv
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np

from deepfake_training.csv_file import write_csv
from deepfake_training.data import Sample
from deepfake_training.figures import auc_interval
from deepfake_training.plans import Run

SCORES_FILE = "scores.csv"
HELD_OUT, LEFT_OUT = "held out", "left out"  # of a source that was learnt from; of one that was not
SEED = 7


@dataclass(frozen=True)
class Score:
    """`network`'s probability of FAKE, 0 to 1, for one picture. `part`: HELD_OUT, LEFT_OUT or the split it is of;
    `without`: the source that the network never learnt from ("" where it saw all)."""

    network: str
    without: str
    part: str
    source: str
    group: str
    y_true: int
    path: str
    y_score: float


def scores_of(run: Run, part: str, samples: Iterable[Sample], y_score: np.ndarray) -> list[Score]:
    """One row per sample; `y_score` are the probabilities that the run's network gave."""
    names = run.network, run.without or "", part
    return [
        Score(*names, each.source, each.group, int(each.fake), str(each.path), round(float(value), 6))
        for each, value in zip(samples, y_score, strict=True)
    ]


def write_scores(path: Path, scores: Iterable[Score]) -> None:
    """A CSV with one row per score."""
    write_csv(path, [each.name for each in fields(Score)], map(astuple, scores))


def read_scores(path: Path) -> list[Score]:
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Score(**{**row, "y_true": int(row["y_true"]), "y_score": float(row["y_score"])})  # type: ignore[arg-type]
            for row in csv.DictReader(file)
        ]


def join_scores(path: Path, scores: list[Score]) -> None:
    """Writes them to the table in the place of earlier ones of the same network, left-out source and part."""

    def kind(score: Score) -> tuple[str, ...]:
        return score.network, score.without, score.part, score.source

    made = set(map(kind, scores))
    earlier = read_scores(path) if path.exists() else []
    write_scores(path, [*(score for score in earlier if kind(score) not in made), *scores])


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
    y_true = np.array([bool(row.y_true) for row in rows])
    y_score = np.array([row.y_score for row in rows])
    group = np.array([row.group for row in rows])
    counted = f"{(~y_true).sum()} real, {y_true.sum()} fake, {len(set(group))} groups"
    if y_true.all() or not y_true.any():
        return f"mean score {y_score.mean():.3f} ({counted})"
    auc = auc_interval(y_true, y_score, group, SEED)
    return f"AUC {auc.value:.3f} [{auc.low:.3f}, {auc.high:.3f}] ({counted})"
