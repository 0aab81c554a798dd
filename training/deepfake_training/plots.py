"""What the figures look like, each as SVG and PNG."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from deepfake_training.data import Sample
from deepfake_training.figures import reliability, risk_coverage
from deepfake_training.findings import Degraded, Findings
from deepfake_training.predictions import Prediction, have_answer, y_scores
from deepfake_training.subset_findings import ENSEMBLE
from deepfake_training.subsets import ALL, sources_and_all

# Okabe and Ito's colours, told apart by colour-blind people too.
COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
STYLES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
SETTINGS: dict[Any, Any] = {
    "svg.hashsalt": "deepfake",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def plot_all(
    folder: Path, samples: Sequence[Sample], predictions: Sequence[Prediction], findings: Findings
) -> list[str]:
    """Writes the plots into the folder and returns their names without suffix."""
    networks, threshold = findings.model.networks, findings.model.threshold
    y_true, scores = np.array([sample.fake for sample in samples]), y_scores(samples, predictions, networks)
    parts = sources_and_all(samples)
    if not parts:
        return []
    whole = ALL if ALL in parts else next(iter(parts))
    with mpl.rc_context(SETTINGS):
        made = {
            "roc": _roc(y_true, scores, parts, whole, (ENSEMBLE, *networks)),
            "reliability": _reliability(y_true[parts[whole]], scores[parts[whole], 0]),
            "risk-coverage": _risk(y_true, scores[:, 0], have_answer(predictions), parts, whole, threshold),
        }
        if findings.robustness:
            made["robustness"] = _robustness(findings.robustness)
        for name, figure in made.items():
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
            figure.savefig(folder / f"{name}.png", dpi=150, metadata={"Software": None})
    return list(made)


def _roc(
    y_true: np.ndarray, scores: np.ndarray, parts: dict[str, np.ndarray], whole: str, systems: Sequence[str]
) -> Figure:
    figure = Figure(figsize=(9.6, 4.6), layout="constrained")
    by_source, by_system = figure.subplots(1, 2)
    for number, (name, rows) in enumerate(parts.items()):
        _curve(by_source, y_true[rows], scores[rows, 0], name, _number(number, name, whole))
    for number, (name, y_score) in enumerate(zip(systems, scores[parts[whole]].T, strict=True)):
        _curve(by_system, y_true[parts[whole]], y_score, name, number)
    for axes, title in ((by_source, f"{ENSEMBLE}, each source"), (by_system, f"{whole}, each network")):
        axes.plot((0, 1), (0, 1), color="0.8", linewidth=1, zorder=0)
        axes.set(
            title=title,
            xlabel="false-positive rate",
            ylabel="true-positive rate",
            aspect="equal",
            xlim=(0, 1),
            ylim=(0, 1),
        )
        axes.legend(frameon=False, loc="lower right")
    return figure


def _curve(axes: Axes, y_true: np.ndarray, y_score: np.ndarray, name: str, number: int) -> None:
    fpr, tpr, _ = roc_curve(y_true, y_score)
    axes.plot(fpr, tpr, label=name, **_line(number))


def _number(number: int, name: str, whole: str) -> int:
    """The same line for a source in every plot; the first one is that of all files."""
    return 0 if name == whole else number + 1


def _line(number: int) -> dict[str, Any]:
    """Colour and style; the second time round another style for each colour."""
    return {"color": COLOURS[number % 7], "linestyle": STYLES[(number + number // 7) % 7]}


def _reliability(y_true: np.ndarray, y_score: np.ndarray) -> Figure:
    figure = Figure(figsize=(4.8, 4.8), layout="constrained")
    axes = figure.subplots()
    predicted, true, _ = reliability(y_true, y_score)
    axes.plot((0, 1), (0, 1), color="0.8", linewidth=1, zorder=0)
    axes.plot(predicted, true, color=COLOURS[1], marker="o")
    axes.set(title="15 bins of equal size", xlabel="predicted probability of FAKE", ylabel="share of fakes")
    axes.set_aspect("equal")
    return figure


def _risk(
    y_true: np.ndarray,
    y_score: np.ndarray,
    answered: np.ndarray,
    parts: dict[str, np.ndarray],
    whole: str,
    threshold: float,
) -> Figure:
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    for number, (name, rows) in enumerate(parts.items()):
        risk = risk_coverage(y_true[rows], y_score[rows], answered[rows], threshold)
        axes.plot(np.arange(1, len(risk) + 1) / len(risk), risk, label=name, **_line(_number(number, name, whole)))
    axes.set(title="risk and coverage", xlabel="share of files answered, the surest first")
    axes.set(ylabel="share of these answers that are wrong")
    axes.set(xlim=(0, 1), ylim=(0, None))
    axes.legend(frameon=False)
    return figure


def _robustness(robustness: Mapping[str, Mapping[str, Degraded]]) -> Figure:
    """How much of each source's AUC each degradation costs."""
    figure = Figure(figsize=(9.6, 4.6), layout="constrained")
    axes = figure.subplots()
    names = list(robustness)
    nothing = Degraded(np.nan, np.nan)
    for number, source in enumerate(sorted({source for changes in robustness.values() for source in changes}), 1):
        given = [robustness[name].get(source, nothing) for name in names]
        axes.plot(names, [of.degraded - of.plain for of in given], marker="o", label=source, **_line(number))
    axes.set(title="files degraded before the detector sees them", ylabel="change of AUC")
    axes.axhline(0, color="0.8", linewidth=1, zorder=0)
    axes.tick_params(axis="x", rotation=30)
    axes.grid(axis="y", color="0.9")
    axes.legend(frameon=False, loc="lower left")
    return figure
