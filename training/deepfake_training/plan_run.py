"""Trains a plan's networks side by side, each in a process of its own, until the clock says so."""

import logging
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path

from deepfake_contract.errors import DeepfakeError

from deepfake_training.from_pack import Job
from deepfake_training.plans import Phase, Run
from deepfake_training.scores import SCORES_FILE, join_scores, read_scores

SCORING_S = 20.0  # kept at the end of each phase for starting, scoring and writing: on a GPU they fit
log = logging.getLogger(__name__)


def train_plan(pack: Path, phases: Sequence[Phase], job: Job) -> None:
    """All runs of all phases, learning for `job.seconds` together; networks and one table of scores in `job.output`,
    each as soon as it is there.

    Called again after a stop it leaves out what is done. A run that fails does not stop the others: DeepfakeError tells
    of it at the end.
    """
    deadline = time.monotonic() + job.seconds
    job.output.mkdir(parents=True, exist_ok=True)
    failed: list[str] = []
    for number, phase in enumerate(phases):
        waiting = [run for run in phase.runs if not (job.work / run.name / SCORES_FILE).exists()]
        later = sum(each.share for each in phases[number:])
        seconds = max(1.0, (deadline - time.monotonic()) * phase.share / later - SCORING_S)
        if waiting:
            log.info("%s, for %.0f s", ", ".join(run.name for run in waiting), seconds)
            failed += _side_by_side(pack, waiting, replace(job, seconds=seconds, pairs=job.pairs or phase.pairs))
        for run in set(phase.runs) - set(waiting):
            _gather(run, job)
    if failed:
        raise DeepfakeError(f"{', '.join(failed)} did not end well; the log says why. Call again to train them alone.")


def _side_by_side(pack: Path, runs: list[Run], job: Job) -> list[str]:
    """The names of the runs that failed."""
    failed = []
    workers = max(1, job.machine.workers // len(runs))
    processes = {run: _start(pack, run, job, workers) for run in runs}
    with ThreadPoolExecutor(len(runs)) as threads:
        ends = {threads.submit(process.wait): run for run, process in processes.items()}
        try:
            for end in as_completed(ends):
                if end.result():
                    failed.append(ends[end].name)
                else:
                    _gather(ends[end], job)
        finally:
            for process in processes.values():
                process.terminate()
    return failed


def _start(pack: Path, run: Run, job: Job, workers: int) -> subprocess.Popen[bytes]:
    without = ["--without", run.without] if run.without else []
    pairs = ["--pairs", str(job.pairs)] if job.pairs else []
    options = {
        "--pack": pack,
        "--network": run.network,
        "--output": job.work / run.name,
        "--work": job.work,
        "--start": job.start,
        "--minutes": job.seconds / 60,
        "--device": job.machine.device.type,
        "--workers": workers,
        "--seed": job.seed,
    }
    words = [str(word) for option in options.items() for word in option]
    command = [sys.executable, "-m", "deepfake_training.train", *words, *without, *pairs]
    return subprocess.Popen(command)  # its log goes where this one's goes


def _gather(run: Run, job: Job) -> None:
    """Copies the run's network to the output, and joins its scores to those that are there."""
    made = job.work / run.name
    join_scores(job.output / SCORES_FILE, read_scores(made / SCORES_FILE))
    for file in made.iterdir():
        if file.name != SCORES_FILE:
            shutil.copy(file, job.output / file.name)
