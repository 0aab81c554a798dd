"""The HTML report as a file, written whole at the end or not at all."""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deepfake_contract.errors import UsageError

from deepfake_client.report.html_report import Overview, document, overview, section
from deepfake_client.report.plain_text import shown
from deepfake_client.report.row import Row

SUFFIXES = (".html", ".htm")
PIECE = 1 << 20  # characters read at once


def check_report_path(path: Path) -> None:
    """Raises UsageError where no report can or should be written."""
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"A report is HTML: name a file that ends with .html, not {shown(path)}.")
    if not path.parent.is_dir():
        raise UsageError(f"There is no folder {shown(path.parent)} for the report; make it, or name another.")
    if path.exists() and not path.is_file():
        raise UsageError(f"{shown(path)} is not a file, so the report can't be written there.")


@contextmanager
def html_report_file(path: Path) -> Iterator[Callable[[Row], None]]:
    """Gives what takes the rows as they come; the report is written over what was at `path` when the block ends, and
    not when an error or an interrupt ends it. Holds a line of each row; their sections lie in a file without a name.
    """
    files: list[Overview] = []
    # Beside the report: where there is room for the one, there may be for the other.
    with tempfile.TemporaryFile("w+", encoding="utf-8", dir=path.parent) as sections:

        def add(row: Row) -> None:
            files.append(overview(row))
            sections.write(section(row, len(files)))

        yield add
        sections.seek(0)
        _write(path, document(files, iter(lambda: sections.read(PIECE), "")))


def _write(path: Path, pieces: Iterable[str]) -> None:
    part = path.with_name(f".deepfake-report-{os.getpid()}")
    try:
        with part.open("x", encoding="utf-8") as out:
            out.writelines(pieces)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
