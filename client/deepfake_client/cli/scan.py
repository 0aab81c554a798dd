"""`deepfake scan PATH…`: a verdict for each file; exit codes as --help says."""

import argparse
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from deepfake_contract.errors import DamagedMediaError, DeepfakeError, UnavailableError, UsageError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deepfake_client import results
from deepfake_client.cli.output import REPORTS
from deepfake_client.cli.triton_options import add_triton_options, parse
from deepfake_client.detector import Detector
from deepfake_client.report.plain_text import shown
from deepfake_client.report.report_file import check_report_path, html_report_file
from deepfake_client.report.row import Row
from deepfake_client.results import without_pictures
from deepfake_client.settings import ClientSettings

FAKE_FOUND = 1
INTERRUPTED = 130  # 128 + SIGINT, as shells say it
EXIT_CODES = """exit codes; if several apply, the highest:
  0  every file was scanned           4  Triton is away, too busy or too slow
  1  --fail-on fake, and one is      70  an error of the program itself
  2  wrong options                  130  interrupted
  3  a file could not be read
"""


def main(arguments: list[str]) -> int:
    """Scans and prints; returns the exit code."""
    options = parse(_parser(), arguments)
    settings = ClientSettings.from_environment(triton=options.triton)
    if options.frames is not None:
        settings.check_frames(options.frames, "--frames")
    if options.report:
        check_report_path(options.report)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _scan(options, settings)
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as cause:
        if not isinstance(cause, BrokenPipeError):
            raise DeepfakeError(f"The results could not be written: {cause.strerror}.") from cause
        # The reader of our output has gone; what is left in the buffer must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return INTERRUPTED


def _scan(options: argparse.Namespace, settings: ClientSettings) -> int:
    # A report of an earlier scan, where files lie, is no file to scan.
    files = [path for path in _files(options.paths) if not (options.report and _same(path, options.report))]
    if not files:
        raise UsageError(f"There are no files in {', '.join(map(shown, options.paths))}.")
    code = 0
    with ExitStack() as stack:
        report = REPORTS[options.format](sys.stdout)
        # Closed when all else is: a table must not be drawn over by the progress bar.
        stack.callback(report.close)
        keep = stack.enter_context(html_report_file(options.report)) if options.report else None
        progress = stack.enter_context(_progress(beside_results=options.format != "table"))
        detector = stack.enter_context(Detector(_triton(options, settings, stack, progress), settings))
        whole = progress.add_task("Files", total=len(files))
        away: UnavailableError | None = None
        for path in files:
            row = Row(path, error=away) if away else _analyzed(path, detector, options, progress)
            if isinstance(row.error, UnavailableError):
                away = row.error
            if keep:
                keep(row)
            report.add(row if options.heatmaps else replace(row, result=row.result and without_pictures(row.result)))
            progress.advance(whole)
            code = max(code, exit_code(row, options.fail_on))
    return code


def _analyzed(path: Path, detector: Detector, options: argparse.Namespace, progress: Progress) -> Row:
    task = progress.add_task(shown(path), total=None)
    try:
        for event in detector.events(path, options.frames, options.heatmaps or bool(options.report)):
            if isinstance(event, results.Progress):
                progress.update(task, completed=event.done, total=event.total)
            elif isinstance(event, results.Result):
                return Row(path, result=event)
        raise AssertionError("an analysis ends with its result")
    except DeepfakeError as error:
        return Row(path, error=error)
    except OSError as cause:
        return Row(path, error=DamagedMediaError(f"The file could not be read: {cause.strerror}."))
    finally:
        progress.remove_task(task)


def _same(path: Path, other: Path) -> bool:
    with suppress(OSError):
        return path.samefile(other)
    return False


def exit_code(row: Row, fail_on: str | None) -> int:
    """What one row makes of the scan's exit code."""
    if row.error:
        return row.error.exit_code
    return FAKE_FOUND if fail_on == "fake" and row.result and row.result.label == "FAKE" else 0


def _files(paths: list[Path]) -> Iterator[Path]:
    """The files as given; of a folder all in it, in the order of their names, but hidden ones."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(each for each in folders if not each.startswith("."))
            yield from (Path(folder, name) for name in sorted(names) if not name.startswith("."))


def _triton(options: argparse.Namespace, settings: ClientSettings, stack: ExitStack, progress: Progress) -> str:
    """The address given, or that of one that is started and will be stopped with the stack."""
    if settings.triton:
        return settings.triton
    from deepfake_client.embedded import embedded_triton

    task = progress.add_task("Starting Triton", total=None)
    address = stack.enter_context(embedded_triton(options.repository, options.device))
    progress.remove_task(task)
    return address


@contextmanager
def _progress(beside_results: bool) -> Iterator[Progress]:
    """On standard error where somebody watches, unless results that come meanwhile go to that terminal too."""
    console = Console(stderr=True)
    watched = console.is_terminal and not (beside_results and sys.stdout.isatty())
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not watched, redirect_stdout=False) as progress:
        yield progress


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="deepfake scan",
        description="Says for each picture and clip whether faces in it were manipulated.",
        epilog=f"{EXIT_CODES}\n{ClientSettings.described()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="a file, or a folder: every file in it except hidden ones"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", dest="format", action="store_const", const="json", help="one JSON object per line")
    form.add_argument("--csv", dest="format", action="store_const", const="csv", help="comma-separated values")
    parser.add_argument(
        "--fail-on",
        choices=["fake"],
        help="exit with 1 when a file's score reaches the threshold, even where the verdict is Uncertain",
    )
    parser.add_argument(
        "--frames", type=int, metavar="N", help="frames of a clip to analyse (default: the model's, 32 for lite)"
    )
    parser.add_argument("--heatmaps", action="store_true", help="add heatmaps and thumbnails to the JSON")
    parser.add_argument(
        "--report",
        type=Path,
        metavar="OUT.html",
        help="also write what was found to a page that can be kept, printed and opened without network",
    )
    add_triton_options(parser)
    parser.set_defaults(format="table")
    return parser
