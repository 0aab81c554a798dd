"""What the figures look like, each as SVG and PNG."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from deepfake_training.figures import reliability, risk_coverage
from deepfake_training.findings import ALL, ENSEMBLE, SYSTEMS, subsets
from deepfake_training.labelled import LabelledFile
from deepfake_training.predictions import Answer, have_answer, scores

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
    folder: Path, files: list[LabelledFile], answers: list[Answer], threshold: float, robustness: dict[str, Any]
) -> list[str]:
    """Writes the plots into the folder and returns their names without suffix."""
    fake, given = np.array([file.fake for file in files]), scores(files, answers)
    answered = have_answer(answers)
    parts = {name: rows for name, rows in subsets(files) if ": " not in name and 0 < fake[rows].sum() < rows.sum()}
    if not parts:
        return []
    whole = ALL if ALL in parts else next(iter(parts))
    with mpl.rc_context(SETTINGS):
        made = {
            "roc": _roc(fake, given, parts, whole),
            "reliability": _reliability(fake[parts[whole]], given[parts[whole], 0]),
            "risk-coverage": _risk(fake, given[:, 0], answered, parts, threshold),
        }
        if robustness:
            made["robustness"] = _robustness(robustness)
        for name, figure in made.items():
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
            figure.savefig(folder / f"{name}.png", dpi=150, metadata={"Software": None})
    return list(made)


def _roc(fake: np.ndarray, given: np.ndarray, parts: dict[str, np.ndarray], whole: str) -> Figure:
    figure = Figure(figsize=(9.6, 4.6), layout="constrained")
    by_source, by_system = figure.subplots(1, 2)
    for number, (name, rows) in enumerate(parts.items()):
        _curve(by_source, fake[rows], given[rows, 0], name, number + 1 if name != whole else 0)
    for number, (name, column) in enumerate(zip(SYSTEMS, given[parts[whole]].T, strict=True)):
        _curve(by_system, fake[parts[whole]], column, name, number)
    for axes, title in ((by_source, f"{ENSEMBLE}, each source"), (by_system, f"{whole}, each network")):
        axes.plot((0, 1), (0, 1), color="0.8", linewidth=1, zorder=0)
        axes.set(
            title=title, xlabel="reals called FAKE", ylabel="fakes found", aspect="equal", xlim=(0, 1), ylim=(0, 1)
        )
        axes.legend(frameon=False, loc="lower right")
    return figure


def _curve(axes: Axes, fake: np.ndarray, probability: np.ndarray, name: str, number: int) -> None:
    false_positives, found, _ = roc_curve(fake, probability)
    axes.plot(false_positives, found, color=COLOURS[number % 7], linestyle=STYLES[number % 7], label=name)


def _reliability(fake: np.ndarray, probability: np.ndarray) -> Figure:
    figure = Figure(figsize=(4.8, 4.8), layout="constrained")
    axes = figure.subplots()
    said, true, _ = reliability(fake, probability)
    axes.plot((0, 1), (0, 1), color="0.8", linewidth=1, zorder=0)
    axes.plot(said, true, color=COLOURS[1], marker="o")
    axes.set(title="15 bins of equal size", xlabel="probability of FAKE said", ylabel="share of fakes", aspect="equal")
    return figure


def _risk(
    fake: np.ndarray, probability: np.ndarray, answered: np.ndarray, parts: dict[str, np.ndarray], threshold: float
) -> Figure:
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    for number, (name, rows) in enumerate(parts.items()):
        risk = risk_coverage(fake[rows], probability[rows], answered[rows], threshold)
        share = np.arange(1, len(risk) + 1) / len(risk)
        axes.plot(share, risk, color=COLOURS[(number + 1) % 7], linestyle=STYLES[number % 7], label=name)
    axes.set(title="what abstaining buys", xlabel="share of files answered, the surest first", ylabel="wrong answers")
    axes.set(xlim=(0, 1), ylim=(0, None))
    axes.legend(frameon=False)
    return figure


def _robustness(robustness: dict[str, Any]) -> Figure:
    """How much of each source's AUC each way of making the files worse costs."""
    figure = Figure(figsize=(9.6, 4.6), layout="constrained")
    axes = figure.subplots()
    names = list(robustness)
    sources = sorted({source for areas in robustness.values() for source in areas})
    for number, source in enumerate(sources):
        nothing = {"plain": np.nan, "worse": np.nan}
        changes = [(pair := robustness[name].get(source, nothing))["worse"] - pair["plain"] for name in names]
        axes.plot(
            names, changes, color=COLOURS[(number + 1) % 7], linestyle=STYLES[number % 7], marker="o", label=source
        )
    axes.set(title="files made worse before the detector sees them", ylabel="change of AUC")
    axes.axhline(0, color="0.8", linewidth=1, zorder=0)
    axes.tick_params(axis="x", rotation=30)
    axes.grid(axis="y", color="0.9")
    axes.legend(frameon=False, loc="lower left")
    return figure
