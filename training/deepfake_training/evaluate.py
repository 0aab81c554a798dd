"""deepfake evaluate DATA --output FOLDER"""

import argparse
import shlex
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from deepfake_client.embedded import DEFAULT_REPOSITORY
from deepfake_contract.errors import UsageError
from deepfake_contract.policy import Policy
from rich.console import Console

from deepfake_training.data import Sample, read_labelled
from deepfake_training.degrade import DEGRADATIONS, Degradation, degraded, is_clip
from deepfake_training.findings import Degraded, Findings, find
from deepfake_training.fit_command import check_fit, fit
from deepfake_training.kinds import KINDS, kind_of
from deepfake_training.plots import plot_all
from deepfake_training.predictions import Connect, Prediction, bundle_of, predict, served, through_torch
from deepfake_training.refit import FEWEST_FILES, FEWEST_GROUPS
from deepfake_training.report import terminal_tables, write_all, write_predictions
from deepfake_training.subsets import aucs, subsets

OWN = "own"  # --triton without an address
DEFAULT_BUNDLE = DEFAULT_REPOSITORY.parent / "bundles" / "lite"
DESCRIPTION = """Measures how well a detector tells real from fake on files whose labels are known, by the same
pipeline that answers everyone else. Writes predictions.csv (one row per file), figures.json, report.md, plots, and
certainty.toml: numbers for the rules of [policy.certainty] in bundle.toml, as measured here.

Where reals and fakes are there, the report has AUC (per file, and per frame of clips), average precision, EER and the
rates at the threshold, by source and by kind of fake; a file without an answer (no face, damaged) stays in: a real
counts as 1, a fake as 0. Of a source with reals alone (or fakes alone) it says how many are called FAKE: give it your
own real pictures to learn how often it would accuse them.

With --fit the bundle's stacking, false-positive rate, band of low certainty, fake_from and real_below are refitted on
the files. What is fitted is judged on groups it was not fitted on; only where that is better than the bundle as it is,
a new bundle is written. Exit code 1 says that it was not."""


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    samples = _chosen(read_labelled(options.data, options.split), options.source, options.limit)
    _check(options, samples)
    bundle = options.bundle or DEFAULT_BUNDLE
    command = shlex.join(["deepfake", "evaluate", *arguments])
    with _asked(options.triton, bundle) as connect:
        if options.fit:
            check_fit(samples, bundle, bundle_of(connect).description, options.fit)
        options.output.mkdir(parents=True, exist_ok=True)
        findings, predictions = evaluate(
            samples, connect, options.output, options.robustness, command, options.data.name
        )
    write_all(options.output, findings, plot_all(options.output, samples, predictions, findings))
    console = Console()
    for table in terminal_tables(findings):
        console.print(table)
    data = findings.data
    console.print(f"{data.without_answer} of {data.files} files without an answer. All of it: {options.output}")
    if not options.fit:
        return 0
    code, said = fit(samples, predictions, bundle, options.fit, options.output)
    console.print(said, soft_wrap=True)
    return code


def evaluate(
    samples: Sequence[Sample], connect: Connect, output: Path, robustness: bool, command: str, data: str
) -> tuple[Findings, list[Prediction]]:
    """The findings, and the predictions for the files as they are; writes the predictions' tables into `output`."""
    bundle = bundle_of(connect).description
    predictions = predict(samples, connect, bundle.policy, lambda sample: sample.path, "predicting")
    write_predictions(output / "predictions.csv", samples, predictions, bundle.names)
    changes: dict[str, dict[str, Degraded]] = {}
    for degradation in DEGRADATIONS if robustness else ():
        rows = [row for row, sample in enumerate(samples) if is_clip(sample) == degradation.clips]
        if rows:
            fitting = [samples[row] for row in rows]
            worse = _degraded(fitting, connect, bundle.policy, degradation)
            slug = degradation.name.replace(" ", "-").lower()
            write_predictions(output / f"predictions-{slug}.csv", fitting, worse, bundle.names)
            plain, less = aucs(fitting, [predictions[row] for row in rows]), aucs(fitting, worse)
            changes[degradation.name] = {source: Degraded(plain[source], less[source]) for source in plain}
    return find(samples, predictions, bundle, command, data, changes), predictions


def _degraded(
    samples: Sequence[Sample], connect: Connect, policy: Policy, degradation: Degradation
) -> list[Prediction]:
    with tempfile.TemporaryDirectory(prefix="deepfake-evaluate-") as folder:
        places = {sample: Path(folder) / str(number) for number, sample in enumerate(samples)}
        return predict(
            samples, connect, policy, lambda sample: degraded(sample, places[sample], degradation), degradation.name
        )


def _asked(triton: str | None, bundle: Path) -> AbstractContextManager[Connect]:
    if triton:
        return served(None if triton == OWN else triton)
    return through_torch(bundle)


def _check(options: argparse.Namespace, samples: Sequence[Sample]) -> None:
    """UsageError where options, or they and the files, contradict."""
    if options.triton and options.bundle and not options.fit:
        raise UsageError("--triton asks what is served there; --bundle beside it is for --fit alone. Leave one out.")
    if options.robustness and not subsets(samples):
        raise UsageError("--robustness compares AUCs, which need a source with reals and fakes: leave it out.")
    for sample in samples:
        kind_of(sample)


def _chosen(samples: Sequence[Sample], sources: list[str] | None, limit: int | None) -> list[Sample]:
    known = sorted({sample.source for sample in samples})
    unknown = set(sources or ()) - set(known)
    if unknown:
        raise UsageError(f"There is no source {sorted(unknown)[0]!r}; there are {', '.join(known)}.")
    if limit is not None and limit < 1:
        raise UsageError(f"--limit must be at least 1, but is {limit}.")
    seen: dict[tuple[str, bool], int] = {}
    chosen = []
    for sample in samples:
        kind = sample.source, sample.fake
        seen[kind] = seen.get(kind, 0) + 1
        if (not sources or sample.source in sources) and (limit is None or seen[kind] <= limit):
            chosen.append(sample)
    return chosen


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="deepfake evaluate", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "data",
        type=Path,
        metavar="DATA",
        help="a CSV with the columns path and label (real or fake), and maybe source, group (a person, a scene), "
        f"method, kind ({', '.join(KINDS)}), split; or a folder with real/ and fake/, or one of them, each sub-folder "
        "of which is one group. Pictures and clips",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="folder for the findings")
    parser.add_argument(
        "--bundle",
        type=Path,
        metavar="FOLDER",
        help="run this bundle's networks in PyTorch (default: bundles/lite); the bundle that --fit starts from",
    )
    parser.add_argument(
        "--triton",
        nargs="?",
        const=OWN,
        metavar="HOST:PORT",
        help="ask a Triton that serves a bundle instead; without an address, start one here",
    )
    parser.add_argument("--split", default="val", help="read the manifest's rows of this split (%(default)s)")
    parser.add_argument("--source", action="append", metavar="S", help="only this source; may be given again")
    parser.add_argument(
        "--robustness", action="store_true", help=f"ask again about the files degraded in {len(DEGRADATIONS)} ways"
    )
    parser.add_argument(
        "--fit",
        type=Path,
        metavar="FOLDER",
        help="refit the bundle on the files, which none of its networks was trained on, and write it here, where that "
        f"helps; needs at least {FEWEST_FILES} files "
        f"and {FEWEST_GROUPS} groups of each class",
    )
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N files of each source and label")
    return parser
