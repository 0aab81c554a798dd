"""A scan's results on standard output: a table for people, JSON lines or CSV for programs. One row per file."""

import csv
import json
from collections.abc import Callable
from typing import Any, Protocol, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from deepfake_client.report import words
from deepfake_client.report.plain_text import as_text, plain, shown, spreadsheet_safe
from deepfake_client.report.row import Row
from deepfake_client.results import Result, to_dict

PIPED_WIDTH = 160  # columns of a table that goes to a file
STYLES = {"FAKE": "bold red", "UNCERTAIN": "yellow", "REAL": "green", "NO FACE": "dim"}
CSV_COLUMNS = (
    "path", "file_type", "label", "confidence", "certainty", "reasons", "threshold", "frames_processed", "tracks",
    "duration_s", "model", "digest", "sha256", "declared", "seconds", "error",
)  # fmt: skip


class Report(Protocol):
    """Where rows go as they come; `close` after the last."""

    def add(self, row: Row) -> None: ...
    def close(self) -> None: ...


class TableReport:
    """A table at the end, with what the numbers mean under it."""

    def __init__(self, out: TextIO):
        console = Console(file=out)
        self._console = console if console.is_terminal else Console(file=out, width=PIPED_WIDTH)
        self._table = Table(box=None, pad_edge=False, header_style="bold")
        self._table.add_column("File", overflow="fold")
        self._table.add_column("Verdict", overflow="fold")
        for name in ("Likelihood", "Frames", "People", "Seconds"):
            self._table.add_column(name, justify="right")
        self._last: Result | None = None

    def add(self, row: Row) -> None:
        name = Text(shown(row.path))
        if row.result is None:
            self._table.add_row(name, Text(f"Not analysed: {row.error}", style="magenta"))
            return
        result = self._last = row.result
        state = words.state(result)
        told = [plain(each.sentence) for each in result.provenance.declared if each.says != "origin"]
        why = f" ({', '.join(words.REASONS[each][0] for each in result.reasons)})" if result.reasons else ""
        self._table.add_row(
            name,
            Text("\n").join([Text(words.STATES[state][0] + why, style=STYLES[state]), *map(Text, told)]),
            "" if result.confidence is None else words.probability(result.confidence),
            str(result.frames_processed),
            _people(result),
            f"{result.timing_s.total:.1f}",
        )

    def close(self) -> None:
        if self._table.row_count:
            self._console.print(self._table)
        if self._last:
            self._console.print(f"\n{_footnote(self._last)}", style="dim", markup=False, highlight=False)


def _people(result: Result) -> str:
    whole_frames = any(face.track is None for frame in result.frames for face in frame.faces)
    return "–" if whole_frames else str(len(result.tracks))


def _footnote(result: Result) -> str:
    known = words.false_positives(result.model.false_positive_rate)
    return (
        f"Likelihood of manipulation from 0 to 1; the threshold is {result.threshold:.2f}. {known} "
        f"{words.STATES['REAL'][1]} Model: {result.model.name} {result.model.version}."
    )


class JsonReport:
    """The REST result and `path`, one object per line; where there is none, `path` and `error`."""

    def __init__(self, out: TextIO):
        self._out = out

    def add(self, row: Row) -> None:
        print(json.dumps({"path": as_text(row.path)} | _json(row)), file=self._out, flush=True)

    def close(self) -> None:
        pass


def _json(row: Row) -> dict[str, Any]:
    if row.result:
        return to_dict(row.result)
    assert row.error is not None
    return {"error": {"title": row.error.title, "status": row.error.status, "detail": row.error.detail}}


class CsvReport:
    """A header and a line per file, lists joined by spaces."""

    def __init__(self, out: TextIO):
        self._out = out
        self._writer = csv.DictWriter(out, CSV_COLUMNS, restval="", lineterminator="\n")
        self._writer.writeheader()

    def add(self, row: Row) -> None:
        line: dict[str, Any] = {"path": spreadsheet_safe(shown(row.path))}
        if row.error:
            line["error"] = spreadsheet_safe(plain(row.error.detail))
        if row.result:
            result = row.result
            same = ("file_type", "label", "confidence", "certainty", "threshold", "frames_processed")
            line |= {name: getattr(result, name) for name in same}
            line |= {
                "reasons": " ".join(result.reasons),
                "tracks": len(result.tracks),
                "duration_s": result.media.duration_s,
                "model": f"{result.model.name} {result.model.version}",
                "digest": result.model.digest,
                "sha256": result.media.sha256,
                "declared": spreadsheet_safe(plain(" ".join(each.sentence for each in result.provenance.declared))),
                "seconds": round(result.timing_s.total, 3),
            }
        self._writer.writerow(line)
        self._out.flush()

    def close(self) -> None:
        pass


REPORTS: dict[str, Callable[[TextIO], Report]] = {"table": TableReport, "json": JsonReport, "csv": CsvReport}
