"""What an evaluation found, as files in a folder and as a table on the terminal."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from deepfake_training.certainty_toml import certainty_toml
from deepfake_training.csv_file import write_csv
from deepfake_training.data import Sample
from deepfake_training.figures import Interval
from deepfake_training.findings import ENSEMBLE, Findings, Subset
from deepfake_training.measured_rules import Counted, RuleFindings
from deepfake_training.predictions import Prediction

Rows = tuple[list[str], list[list[str]]]  # header and cells of a table
SHOWN = 6  # columns on the terminal


def write_predictions(
    path: Path, samples: Sequence[Sample], predictions: Sequence[Prediction], networks: Sequence[str]
) -> None:
    """One row per file, y_true 1 for a fake; scores are empty and the reason says why where there is no answer."""
    rows = []
    for sample, each in zip(samples, predictions, strict=True):
        scores = [each.y_score, *(each.networks[name] if each.networks else None for name in networks)]
        own = [sample.name, int(sample.fake), sample.source, sample.group, sample.method]
        given = ["" if score is None else f"{score:.6f}" for score in scores]
        rows.append([*own, *given, each.label, each.certainty, each.frames, each.reason])
    known = ("path", "y_true", "source", "group", "method", "y_score")
    write_csv(path, [*known, *networks, "predicted", "certainty", "frames", "reason"], rows)


def write_all(folder: Path, findings: Findings, plots: Sequence[str]) -> None:
    """figures.json, report.md and certainty.toml."""
    model = findings.model
    about = f"{model.name} {model.version}, {model.digest}\n{findings.command}\n{findings.data.files} files"
    # Six digits: threads may add up the last ones in another order.
    figures = json.dumps(_rounded(asdict(findings)), indent=1)
    (folder / "figures.json").write_text(figures + "\n", encoding="utf-8")
    (folder / "report.md").write_text(_report(findings, plots), encoding="utf-8")
    (folder / "certainty.toml").write_text(certainty_toml(findings.certainty, about), encoding="utf-8")


def terminal_table(findings: Findings) -> Table:
    """The first columns of the subsets' table."""
    header, rows = _subset_table(findings)
    table = Table()
    for name in header[:SHOWN]:
        table.add_column(name, no_wrap=True)
    for row in rows:
        table.add_row(*row[:SHOWN])
    return table


def _report(findings: Findings, plots: Sequence[str]) -> str:
    """All tables as Markdown."""
    model, data = findings.model, findings.data
    parts = [
        f"# {model.name} {model.version}\n\n`{findings.command}`\n",
        f"{data.files} files of {data.name}, {data.without_answer} without an answer (each counted as wrong "
        f"as can be: a real as 1, a fake as 0). {model.digest}, threshold {model.threshold}. "
        "AUC with its 95 % interval (1,000 draws of whole groups).\n",
        "## Each subset\n\n" + _markdown(_subset_table(findings)),
        "## Each network beside the ensemble (AUC)\n\n" + _markdown(_network_table(findings)),
    ]
    if findings.error_correlation:
        named = zip(model.networks, findings.error_correlation, strict=True)
        rows = [[name, *(f"{value:.2f}" for value in row)] for name, row in named]
        parts.append("## Correlation of the networks' errors\n\n" + _markdown((["", *model.networks], rows)))
    parts.append(
        "## Rules of certainty\n\nOf the answers that were made. In brackets the share that is wrong, were reals and "
        "fakes equally common; proposed is the loosest number up to which that is at least 35 % of at least 20 "
        "answers. certainty.toml has the proposed ones.\n\n" + _markdown(_certainty_table(findings.certainty))
    )
    if findings.robustness:
        header = "## Degraded files (AUC, and its change over the same files as they are)\n\n"
        parts.append(header + _markdown(_robustness_table(findings)))
    return "\n".join([*parts, *(f"![{name}]({name}.svg)\n" for name in plots)])


def _subset_table(findings: Findings) -> Rows:
    header = [
        *("subset", "real / fake", "no answer", "AUC", "accuracy", "FPR", "TPR at FPR 5 %", "ECE", "TPR at FPR 1 %"),
        *("EER", "average precision", "Brier", "AURC", "wrong at 100 / 80 %"),
        "low certainty: share / wrong / others wrong",
    ]
    return header, [_subset_row(name, subset) for name, subset in findings.subsets.items()]


def _subset_row(name: str, subset: Subset) -> list[str]:
    of, low = subset.systems[ENSEMBLE], subset.low_certainty
    return [
        *(name, f"{of.reals} / {of.fakes}", str(subset.without_answer), _interval(of.auc)),
        *map(_number, (of.accuracy, of.false_positive_rate, of.tpr_at_fpr["5%"], of.ece, of.tpr_at_fpr["1%"], of.eer)),
        *map(_number, (of.average_precision, of.brier, of.aurc)),
        " / ".join(map(_number, (of.risk_at["100%"], of.risk_at["80%"]))),
        " / ".join(map(_number, (low.share, low.wrong, low.wrong_among_others))),
    ]


def _network_table(findings: Findings) -> Rows:
    rows = []
    for name, subset in findings.subsets.items():
        aucs = [_number(of.auc.value) for of in subset.systems.values()]
        rows.append([name, *aucs, f"{_interval(subset.gain.auc, '+')} over {subset.gain.over}"])
    return ["subset", ENSEMBLE, *findings.model.networks, "gain over the best alone"], rows


def _certainty_table(rules: Sequence[RuleFindings]) -> Rows:
    header = ["rule", "number", "marked: wrong", "others: wrong", "proposed", "marked by it: wrong"]
    rows = [
        [
            *(each.named, _rule_number(each.number), _counted(each.marked), _counted(each.others)),
            *(_rule_number(each.proposed), _counted(each.marked_by_proposed)),
        ]
        for each in rules
    ]
    return header, rows


def _robustness_table(findings: Findings) -> Rows:
    sources = sorted({source for changes in findings.robustness.values() for source in changes})
    rows = []
    for name, changes in findings.robustness.items():
        given = [changes.get(source) for source in sources]
        cells = ["" if of is None else f"{of.degraded:.3f} ({of.degraded - of.plain:+.3f})" for of in given]
        rows.append([name, *cells])
    return ["", *sources], rows


def _markdown(table: Rows) -> str:
    header, rows = table
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _interval(of: Interval, sign: str = "") -> str:
    return f"{of.value:{sign}.3f} ({of.low:{sign}.3f} to {of.high:{sign}.3f})"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _rule_number(value: float | tuple[float, float] | None) -> str:
    if value is None:
        return "no rule"
    return f"{value[0]:g} to {value[1]:g}" if isinstance(value, tuple) else f"{value:g}"


def _counted(of: Counted) -> str:
    return f"{of.wrong} of {of.answers}" + ("" if of.error is None else f" ({of.error:.0%})")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list | tuple) else value
