"""Trains one network from a pack, by the clock, and says what it answers to pictures that it has not learnt from."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from deepfake_contract.description import NetworkSpec
from deepfake_contract.errors import UsageError
from deepfake_networks.network import HybridNetwork

from deepfake_training.crops import Crops
from deepfake_training.data import Sample
from deepfake_training.machine import Machine
from deepfake_training.network_files import load_network_files, read_about, save_network_files
from deepfake_training.network_training import train_network
from deepfake_training.pace import ByClock
from deepfake_training.packed import Packed
from deepfake_training.plans import NETWORKS, Run, with_pairs
from deepfake_training.pretrained import built_alike, pretrained_network
from deepfake_training.probabilities import probabilities
from deepfake_training.recipes import HELD_OUT_SHARE, Recipe
from deepfake_training.scores import HELD_OUT, LEFT_OUT, SCORES_FILE, Score, figures, scores_of, write_scores
from deepfake_training.splits import hold_out, leave_out, raw_only

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """How a run is done: `start` is the folder of networks to start from, `seconds` the time it may learn for, `pairs`
    what a step holds in place of the recipe's (None); `seed` decides what is held out and the pictures' order."""

    start: Path
    output: Path
    work: Path
    machine: Machine
    seconds: float
    seed: int
    pairs: int | None = None


def train_from_pack(packed: Packed, run: Run, job: Job) -> list[Score]:
    """Writes the run's network, as it goes into a bundle, and `scores.csv` into the output folder; the scores.

    A run without a source leaves its scores alone, those of the source's own pictures among them. Rows that are in the
    pack to be scored only are scored by networks that learn from all sources.
    """
    spec, recipe = NETWORKS[run.network]
    recipe = with_pairs(recipe, job.pairs)
    learn, held = hold_out(packed.learn.samples, HELD_OUT_SHARE, job.seed)
    left_out: list[Sample] = []
    if run.without:
        learn, held, left_out = leave_out(run.without, learn, held)
        if not left_out:
            raise UsageError(f"The pack has nothing of the source {run.without}: --without it changes nothing.")
    if recipe.mixture.raw_only:
        learn = raw_only(learn)
    torch.manual_seed(job.seed)
    network = start_network(spec, run, job.start)
    pace = ByClock(job.seconds)
    job.work.mkdir(parents=True, exist_ok=True)
    network = train_network(network, packed.learn.of(learn), recipe, job.work, job.seed, job.machine, pace)
    seen = pace.steps * 2 * recipe.pairs
    log.info("%s has seen %d pictures in %.0f s", run.name, seen, pace.spent_s)
    asked: list[tuple[str, Crops]] = [(HELD_OUT, packed.learn.of(held))]
    asked += [(LEFT_OUT, packed.learn.of(left_out))] if run.without else _of_each_split(packed)
    scores = [
        score
        for part, crops in asked
        for score in scores_of(run, part, crops.samples, probabilities(network, crops.pictures, crops.face_sides))
    ]
    lines = figures(scores)
    for line in lines:
        log.info("%s", line)
    job.output.mkdir(parents=True, exist_ok=True)
    if not run.without:
        about = _about(job, seen, pace.spent_s, recipe, sorted({sample.source for sample in learn}), lines)
        save_network_files(job.output, run.network, network.cpu(), about)
    write_scores(job.output / SCORES_FILE, scores)
    return scores


def start_network(spec: NetworkSpec, run: Run, folder: Path) -> HybridNetwork:
    """The network to begin with: an earlier round's of the same name, or else a new one on the backbone that bears its
    architecture's name; out of the installed packages where the folder has neither.

    A run without a source never goes on from an earlier round's, which may have learnt from it.
    """
    earlier, backbone = folder / f"{run.network}.json", folder / f"{spec.architecture}.json"
    if earlier.exists() and not run.without:
        network = load_network_files(earlier)
        if not built_alike(network.spec, spec):
            raise UsageError(f"{earlier} is built otherwise than this plan's {run.network}: take it out of there.")
        log.info("%s goes on from %s, %s pictures old", run.name, earlier.name, read_about(earlier).get("pictures"))
        return network
    if not backbone.exists():
        return pretrained_network(spec)
    network = HybridNetwork(spec)
    network.backbone.load_state_dict(load_network_files(backbone).backbone.state_dict())
    return network


def _of_each_split(packed: Packed) -> list[tuple[str, Crops]]:
    """What is only scored, a split by itself."""
    splits = [row.split for row in packed.score_rows]
    return [
        (split, packed.score.of([each for each, own in zip(packed.score.samples, splits, strict=True) if own == split]))
        for split in sorted(set(splits))
    ]


def _about(job: Job, seen: int, spent_s: float, recipe: Recipe, sources: list[str], lines: list[str]) -> dict[str, Any]:
    device = job.machine.device
    return {
        "pictures": seen,
        "seconds": round(spent_s, 1),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "recipe": repr(recipe),
        "seed": job.seed,
        "learnt_from": sources,
        "figures": lines,
    }
