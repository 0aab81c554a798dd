"""`deepfake report RESULT.json`: the HTML report of results that were saved as JSON."""

import argparse
from pathlib import Path

from deepfake_contract.errors import DeepfakeError, UsageError

from deepfake_client.report.plain_text import shown
from deepfake_client.report.report_file import check_report_path, html_report_file
from deepfake_client.report.saved_results import read_rows


def main(arguments: list[str]) -> int:
    """Writes the report and prints where; DeepfakeError says what hinders it."""
    options = _parser().parse_args(arguments)
    output: Path = options.output or options.results.with_suffix(".html")
    if output == options.results:
        raise UsageError(f"The report would take the place of {shown(output)}: name another file with --output.")
    check_report_path(output)
    try:
        with html_report_file(output) as add:
            for row in read_rows(options.results):
                add(row)
    except OSError as cause:
        raise DeepfakeError(f"The report could not be written to {shown(output)}: {cause.strerror}.") from cause
    print(shown(output))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="deepfake report",
        description="Makes the report that people keep from results that were saved as JSON.",
    )
    parser.add_argument(
        "results",
        type=Path,
        metavar="RESULT.json",
        help="what the page, /predict or `deepfake scan --json` gave: one result, or one per line",
    )
    parser.add_argument(
        "--output", type=Path, metavar="OUT.html", help="where the report goes (default: beside RESULT.json, as .html)"
    )
    return parser
