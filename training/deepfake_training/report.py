"""What an evaluation found, as files in a folder and as tables on the terminal."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from deepfake_training.certainty_toml import certainty_toml
from deepfake_training.csv_file import write_csv
from deepfake_training.data import Sample
from deepfake_training.findings import Findings
from deepfake_training.predictions import Prediction
from deepfake_training.tables import (
    Rows,
    certainty_table,
    correlation_table,
    evidence_table,
    kinds_table,
    network_table,
    one_class_table,
    robustness_table,
    short_one_class_table,
    short_table,
    subset_table,
)

SHARES = "Shares of the files with an answer; in brackets the 95 % interval, "
WILSON = (
    "Wilson's with as many files as they are worth, which is fewer where those of one group are alike (Korn and "
    "Graubard 1998)."
)


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
    write_json(folder / "figures.json", findings)
    (folder / "report.md").write_text(_report(findings, plots), encoding="utf-8")
    (folder / "certainty.toml").write_text(certainty_toml(findings.certainty, about), encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """A dataclass, with six digits: threads may add up the last ones in another order."""
    path.write_text(json.dumps(_rounded(asdict(value)), indent=1) + "\n", encoding="utf-8")


def terminal_tables(findings: Findings) -> list[Table]:
    """Of the files with both classes, and of those with one."""
    given = [short_table(findings)] if findings.subsets else []
    given += [short_one_class_table(findings)] if findings.one_class else []
    tables = []
    for header, rows in given:
        table = Table()
        for name in header:
            table.add_column(name, no_wrap=True)
        for row in rows:
            table.add_row(*row)
        tables.append(table)
    return tables


def _report(findings: Findings, plots: Sequence[str]) -> str:
    """All tables as Markdown."""
    model, data = findings.model, findings.data
    parts = [
        f"# {model.name} {model.version}\n\n`{findings.command}`\n",
        f"{data.files} files of {data.name}, {data.without_answer} without an answer. {model.digest}, threshold "
        f"{model.threshold}.\n",
    ]
    if findings.subsets:
        how = (
            "No answer counts as wrong as can be: a real as 1, a fake as 0. AUC with its 95 % interval (1,000 draws of "
            f"whole groups); TPR and FPR are at the threshold, their intervals {WILSON} AUC per frame, where there are "
            "clips: over all frames with a face."
        )
        parts.append(_section("Each subset", subset_table(findings), how))
        how = "Of DF40 (Yan et al. 2024), each beside all reals of the sources that its fakes come from."
        parts.append(_section("Kinds of fakes", kinds_table(findings), how))
    if findings.one_class:
        parts.append(_section("Files of one class", one_class_table(findings), SHARES + WILSON))
    parts.append(_evidence(findings))
    if findings.subsets:
        parts.append(_section("Each network beside the ensemble (AUC)", network_table(findings)))
    if findings.error_correlation:
        parts.append(_section("Correlation of the networks' errors", correlation_table(findings)))
    how = (
        "Of the answers that were made. In brackets the share that is wrong, were reals and fakes equally common; "
        "proposed is the loosest number up to which that is at least 35 % of at least 20 answers. certainty.toml has "
        "the proposed ones."
    )
    parts.append(_section("Rules of certainty", certainty_table(findings.certainty), how))
    if findings.robustness:
        header = "Degraded files (AUC, and its change over the same files as they are)"
        parts.append(_section(header, robustness_table(findings)))
    return "\n".join([*parts, *(f"![{name}]({name}.svg)\n" for name in plots)])


def _evidence(findings: Findings) -> str:
    model = findings.model
    if not findings.strong_evidence:
        given = "This bundle has neither fake_from nor real_below: it never gives strong evidence."
        return f"## Strong evidence\n\n{given}\n"
    named = {"a fake from": model.fake_from, "a real below": model.real_below}
    given = " and of ".join(f"{name} {value:.4f}" for name, value in named.items() if value is not None)
    lacking = " and ".join(name.split(" ")[1] for name, value in named.items() if value is None)
    how = (
        f"Of {given}{f'; never of a {lacking}' if lacking else ''}. {SHARES}from draws of whole groups. Wrong: were "
        "reals and fakes equally common."
    )
    return _section("Strong evidence", evidence_table(findings), how)


def _section(title: str, table: Rows, how: str = "") -> str:
    header, rows = table
    lines = [header, ["---"] * len(header), *rows]
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return f"## {title}\n\n" + (f"{how}\n\n" if how else "") + text


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list | tuple) else value
