"""deepfake evaluate DATA --output FOLDER"""

import argparse
import shlex
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
from deepfake_client.embedded import DEFAULT_REPOSITORY
from deepfake_contract.errors import UsageError
from rich.console import Console
from sklearn.metrics import roc_auc_score

from deepfake_training.degrade import DEGRADATIONS, Degradation, is_clip, worsened
from deepfake_training.findings import findings, subsets
from deepfake_training.labelled import LabelledFile, read_labelled
from deepfake_training.plots import plot_all
from deepfake_training.predictions import Answer, Connect, answer_all, bundle_of, scores, served, through_torch
from deepfake_training.tables import terminal_table, write_answers, write_figures, write_report

OWN = "own"  # --triton without an address
DEFAULT_BUNDLE = DEFAULT_REPOSITORY.parent / "bundles" / "lite"
SEED = 7
DESCRIPTION = """Measures how well a detector tells real from fake on files whose labels are known, by the same
pipeline that answers everyone else. Writes answers.csv (a row a file), figures.json, report.md and plots.
A file without an answer (no face, damaged) stays in: a real counts as 1, a fake as 0."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="deepfake evaluate", description=DESCRIPTION)
    parser.add_argument(
        "data",
        type=Path,
        metavar="DATA",
        help="a CSV with the columns path and label (real or fake), and maybe source, group, method, split; or a "
        "folder with real/ and fake/, whose sub-folders are sources. Pictures and clips",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="folder for the findings")
    detector = parser.add_mutually_exclusive_group()
    detector.add_argument(
        "--bundle", type=Path, default=DEFAULT_BUNDLE, help="ask its networks in PyTorch (the clone's)"
    )
    detector.add_argument(
        "--triton", nargs="?", const=OWN, metavar="HOST:PORT", help="ask a served ensemble instead; by default our own"
    )
    parser.add_argument("--split", default="val", help="the manifest's rows to read (%(default)s)")
    parser.add_argument("--source", action="append", metavar="S", help="only this source; may be given again")
    parser.add_argument("--robustness", action="store_true", help="ask again about the files made worse in 13 ways")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N files of each source and label")
    options = parser.parse_args(arguments)
    files = _chosen(read_labelled(options.data, options.split), options.source, options.limit)
    if len({file.fake for file in files}) < 2:
        raise UsageError(f"{options.data.name} gives {'fakes' if files[0].fake else 'reals'} only: both are needed.")
    options.output.mkdir(parents=True, exist_ok=True)
    detector_asked: AbstractContextManager[Connect]
    if options.triton:
        detector_asked = served(None if options.triton == OWN else options.triton)
    else:
        detector_asked = through_torch(options.bundle)
    with detector_asked as connect:
        found, answers = evaluate(files, connect, options.output, options.robustness)
    found["command"] = shlex.join(["deepfake", "evaluate", *arguments])
    found["data"]["name"] = options.data.name
    plots = plot_all(options.output, files, answers, found["model"]["threshold"], found["robustness"])
    write_figures(options.output / "figures.json", found)
    write_report(options.output / "report.md", found, plots)
    console = Console()
    console.print(terminal_table(found))
    console.print(
        f"{found['data']['without_answer']} of {len(files)} files without an answer. All of it: {options.output}"
    )
    return 0


def evaluate(
    files: list[LabelledFile], connect: Connect, output: Path, robustness: bool
) -> tuple[dict[str, Any], list[Answer]]:
    """The findings as plain JSON types, and the answers to the files as they are; writes the answers' tables."""
    bundle = bundle_of(connect)
    answers = answer_all(files, connect, lambda file: file.path, "asking")
    write_answers(output / "answers.csv", files, answers)
    found = {
        "model": {
            "name": bundle.model.name,
            "version": bundle.model.version,
            "digest": bundle.model.digest,
            "threshold": bundle.policy.threshold,
        },
        "data": {"files": len(files), "without_answer": sum(answer.networks is None for answer in answers)},
        "seed": SEED,
        **findings(files, answers, bundle.policy.threshold, SEED),
        "robustness": {},
    }
    if robustness:
        for degradation in DEGRADATIONS:
            fitting = [file for file in files if is_clip(file) == degradation.clips]
            if fitting:
                plain = [answer for file, answer in zip(files, answers, strict=True) if file in set(fitting)]
                worse = _degraded(fitting, connect, degradation)
                slug = degradation.name.replace(" ", "-").lower()
                write_answers(output / f"answers-{slug}.csv", fitting, worse)
                areas = {"plain": _areas(fitting, plain), "worse": _areas(fitting, worse)}
                found["robustness"][degradation.name] = {
                    source: {kind: areas[kind][source] for kind in areas} for source in areas["plain"]
                }
    return found, answers


def _degraded(files: list[LabelledFile], connect: Connect, degradation: Degradation) -> list[Answer]:
    with tempfile.TemporaryDirectory(prefix="deepfake-evaluate-") as folder:
        places = {file: Path(folder) / str(number) for number, file in enumerate(files)}
        return answer_all(files, connect, lambda file: worsened(file, places[file], degradation), degradation.name)


def _areas(files: list[LabelledFile], answers: list[Answer]) -> dict[str, float]:
    """The ensemble's AUC of each source and of all."""
    fake, given = np.array([file.fake for file in files]), scores(files, answers)[:, 0]
    return {
        name: float(roc_auc_score(fake[rows], given[rows]))
        for name, rows in subsets(files)
        if ": " not in name and 0 < fake[rows].sum() < rows.sum()
    }


def _chosen(files: list[LabelledFile], sources: list[str] | None, limit: int | None) -> list[LabelledFile]:
    known = sorted({file.source for file in files})
    unknown = set(sources or ()) - set(known)
    if unknown:
        raise UsageError(f"There is no source {sorted(unknown)[0]!r}; there are {', '.join(known)}.")
    if limit is not None and limit < 1:
        raise UsageError(f"--limit must be at least 1, but is {limit}.")
    seen: dict[tuple[str, bool], int] = {}
    chosen = []
    for file in files:
        kind = file.source, file.fake
        seen[kind] = seen.get(kind, 0) + 1
        if (not sources or file.source in sources) and (limit is None or seen[kind] <= limit):
            chosen.append(file)
    return chosen
