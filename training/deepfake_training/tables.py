"""What an evaluation found, as files in a folder and as a table on the terminal."""

import csv
import json
from pathlib import Path
from typing import Any

from deepfake_contract.tensors import ROLES
from rich.table import Table

from deepfake_training.findings import ENSEMBLE
from deepfake_training.labelled import LabelledFile
from deepfake_training.predictions import Answer


def write_answers(path: Path, files: list[LabelledFile], answers: list[Answer]) -> None:
    """A row a file; the probability is empty and the reason says why where there is no answer."""
    with path.open("w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(
            [
                "path",
                "label",
                "source",
                "group",
                "method",
                "probability",
                *ROLES,
                "answer",
                "certainty",
                "frames",
                "reason",
            ]
        )
        for file, answer in zip(files, answers, strict=True):
            probabilities = ["" if value is None else f"{value:.6f}" for value in _values(answer)]
            truth = "fake" if file.fake else "real"
            own = [file.name, truth, file.source, file.group, file.method, *probabilities]
            writer.writerow([*own, answer.label, answer.certainty, answer.frames, answer.reason])


def write_figures(path: Path, found: dict[str, Any]) -> None:
    """Rounded to six digits: threads may add up the last ones in another order."""
    path.write_text(json.dumps(_rounded(found), indent=1) + "\n", encoding="utf-8")


def write_report(path: Path, found: dict[str, Any], plots: list[str]) -> None:
    """The figures as Markdown."""
    model, data = found["model"], found["data"]
    parts = [
        f"# {model['name']} {model['version']}\n\n`{found['command']}`\n",
        f"{data['files']} files of {data['name']}, {data['without_answer']} without an answer (each counted as wrong "
        f"as can be: a real as 1, a fake as 0). {model['digest']}, threshold {model['threshold']}. "
        "AUC with its 95 % interval (1,000 draws of whole groups).\n",
        "## Each subset\n\n" + markdown(*subset_table(found)),
        "## Each network beside the ensemble (AUC)\n\n" + markdown(*network_table(found)),
    ]
    if "error_correlation" in found:
        rows = [
            [role, *(f"{value:.2f}" for value in row)]
            for role, row in zip(ROLES, found["error_correlation"], strict=True)
        ]
        parts.append("## Correlation of the networks' errors\n\n" + markdown(["", *ROLES], rows))
    if found.get("robustness"):
        header = "## Files made worse (AUC, and its change over the same files as they are)\n\n"
        parts.append(header + markdown(*robustness_table(found["robustness"])))
    parts += [f"![{name}]({name}.svg)\n" for name in plots]
    path.write_text("\n".join(parts), encoding="utf-8")


def terminal_table(found: dict[str, Any]) -> Table:
    """The first columns of the subsets' table."""
    header, rows = subset_table(found)
    table = Table()
    for name in header[:6]:
        table.add_column(name, no_wrap=True)
    for row in rows:
        table.add_row(*row[:6])
    return table


Rows = tuple[list[str], list[list[str]]]


def subset_table(found: dict[str, Any]) -> Rows:
    header = [
        *("subset", "real / fake", "no answer", "AUC", "accuracy", "FPR", "TPR at 5 %", "ECE", "TPR at 1 %", "EER"),
        *("average precision", "Brier", "AURC", "wrong at 100 / 80 %", "low certainty: share / wrong / others wrong"),
    ]
    rows = []
    for name, subset in found["subsets"].items():
        of = subset["systems"][ENSEMBLE]
        low = subset["low_certainty"]
        rows.append(
            [
                *(name, f"{of['reals']} / {of['fakes']}", str(subset["without_answer"]), _interval(of["auc"])),
                *(_number(of["accuracy"]), _number(of["false_positive_rate"]), _number(of["tpr_at_fpr"]["5%"])),
                *(_number(of["ece"]), _number(of["tpr_at_fpr"]["1%"]), _number(of["eer"])),
                *(_number(of["average_precision"]), _number(of["brier"]), _number(of["aurc"])),
                f"{_number(of['risk_at']['100%'])} / {_number(of['risk_at']['80%'])}",
                " / ".join(_number(low[key]) for key in ("share", "wrong", "wrong_among_others")),
            ]
        )
    return header, rows


def network_table(found: dict[str, Any]) -> Rows:
    rows = []
    for name, subset in found["subsets"].items():
        areas = [_number(subset["systems"][system]["auc"]["value"]) for system in (ENSEMBLE, *ROLES)]
        gain = subset["gain"]
        rows.append([name, *areas, f"{_interval(gain, '+')} over {gain['over']}"])
    return ["subset", ENSEMBLE, *ROLES, "gain over the best alone"], rows


def robustness_table(robustness: dict[str, dict[str, dict[str, float]]]) -> Rows:
    sources = sorted({source for areas in robustness.values() for source in areas})
    rows = []
    for name, areas in robustness.items():
        cells = [
            ""
            if source not in areas
            else f"{areas[source]['worse']:.3f} ({areas[source]['worse'] - areas[source]['plain']:+.3f})"
            for source in sources
        ]
        rows.append([name, *cells])
    return ["", *sources], rows


def markdown(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _interval(of: dict[str, float], sign: str = "") -> str:
    return f"{of['value']:{sign}.3f} ({of['low']:{sign}.3f} to {of['high']:{sign}.3f})"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _values(answer: Answer) -> list[float | None]:
    return [answer.probability, *(answer.networks or [None] * len(ROLES))]


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list | tuple) else value
