"""Trains a plan's networks side by side, each in a process of its own, until the clock says so."""

import logging
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from deepfake_client.errors import DeepfakeError

from deepfake_training.from_pack import SCORES_FILE, Job
from deepfake_training.plans import Phase, Run
from deepfake_training.scores import Score, read_scores, write_scores

SCORING_S = 20.0  # kept at the end of each phase: starting processes, scoring, writing
GRACE_S = 60.0  # after a phase's time, until a run that does not end is ended
log = logging.getLogger(__name__)


def train_plan(pack: Path, phases: Sequence[Phase], job: Job) -> None:
    """All runs of all phases in `job.seconds`; networks and one table of scores in `job.output`.

    Called again after a stop it leaves out what is done. A run that fails does not stop the others: DeepfakeError tells
    of it at the end.
    """
    deadline = time.monotonic() + job.seconds
    job.output.mkdir(parents=True, exist_ok=True)
    failed: list[str] = []
    for number, phase in enumerate(phases):
        waiting = [run for run in phase.runs if not (job.work / run.name / SCORES_FILE).exists()]
        later = sum(each.share for each in phases[number:])
        seconds = (deadline - time.monotonic()) * phase.share / later - SCORING_S
        if waiting:
            log.info("%s, for %.0f s", ", ".join(run.name for run in waiting), max(1.0, seconds))
            failed += _side_by_side(pack, waiting, job, max(1.0, seconds))
        _gather([run for run in phase.runs if run.name not in failed], job)
    if failed:
        raise DeepfakeError(f"{', '.join(failed)} did not end well; the log says why. Call again to train them alone.")


def _side_by_side(pack: Path, runs: list[Run], job: Job, seconds: float) -> list[str]:
    """The names of the runs that failed."""
    workers = max(1, job.machine.workers // len(runs))
    processes = {run.name: _start(pack, run, job, seconds, workers) for run in runs}
    readers = [threading.Thread(target=_pass_on, args=(process,), daemon=True) for process in processes.values()]
    for reader in readers:
        reader.start()
    end = time.monotonic() + seconds + SCORING_S + GRACE_S
    try:
        for name, process in processes.items():
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.error("%s did not end in time and is stopped", name)
                process.kill()
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            process.wait()
        for reader in readers:
            reader.join()
    return [name for name, process in processes.items() if process.returncode]


def _start(pack: Path, run: Run, job: Job, seconds: float, workers: int) -> subprocess.Popen[str]:
    without = ["--without", run.without] if run.without else []
    pairs = ["--pairs", str(job.pairs)] if job.pairs else []
    options = {
        "--pack": pack,
        "--network": run.network,
        "--output": job.work / run.name,
        "--work": job.work,
        "--start": job.start,
        "--minutes": seconds / 60,
        "--device": job.machine.device.type,
        "--workers": workers,
        "--seed": job.seed,
    }
    words = [str(word) for option in options.items() for word in option]
    command = [sys.executable, "-m", "deepfake_training.train", *words, *without, *pairs]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")


def _pass_on(process: subprocess.Popen[str]) -> None:
    """A run's lines into this log, which has times of its own."""
    assert process.stdout
    for line in process.stdout:
        if line.strip():
            log.info("%s", line.rstrip())


def _gather(runs: Sequence[Run], job: Job) -> None:
    """Copies the runs' networks to the output, and joins their scores to those that are there."""
    scores: dict[tuple[str, str, str], Score] = {}
    table = job.output / SCORES_FILE
    for path in [table, *(job.work / run.name / SCORES_FILE for run in runs)]:
        if path.exists():
            scores |= {(score.network, score.without, score.path): score for score in read_scores(path)}
    write_scores(table, scores.values())
    for run in runs:
        for file in (job.work / run.name).iterdir():
            if file.name != SCORES_FILE:
                shutil.copy(file, job.output / file.name)
