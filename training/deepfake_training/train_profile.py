"""Trains a profile's networks and their stacking on labelled pictures, and writes a bundle."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from deepfake_contract.description import Identity, NetworkSpec
from deepfake_contract.errors import UsageError
from deepfake_networks.network import HybridNetwork
from deepfake_networks.weights import compact
from deepfake_networks.writing import write_bundle

from deepfake_training.augment import MEDIUM, with_augmented
from deepfake_training.crops import Crops, FindFace, cut_crops
from deepfake_training.data import Sample
from deepfake_training.machine import Machine
from deepfake_training.network_training import train_network
from deepfake_training.pretrained import pretrained_network
from deepfake_training.probabilities import probabilities
from deepfake_training.recipes import HELD_OUT_SHARE, Profile
from deepfake_training.splits import hold_out, sources_with_both
from deepfake_training.stack import fit_stack

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingPlan:
    """What is trained, and how. `start` gives each network to begin with; those named in `keep` stay as it gives them.
    With a name in `only`, just that network is trained and no bundle written. Crops and checkpoints stay in `work`. The
    order of the data depends on `seed` alone, and is another for each network."""

    profile: Profile
    output: Path
    work: Path
    seed: int
    start: Callable[[NetworkSpec], HybridNetwork] = pretrained_network
    only: str | None = None
    keep: tuple[str, ...] = ()
    machine: Machine = field(default_factory=Machine.here)

    def __post_init__(self) -> None:
        names = [spec.name for spec, _ in self.profile.networks]
        for name in (*self.keep, *([self.only] if self.only else [])):
            if name not in names:
                raise UsageError(f"{self.profile.name} has no network {name!r}; it has {', '.join(names)}.")


def train(samples: list[Sample], faces: AbstractContextManager[FindFace], plan: TrainingPlan) -> None:
    """Cuts the face crops, trains the plan's networks, fits the stacking on held-out groups and writes the bundle."""
    profile, device = plan.profile, plan.machine.device
    shown = cut_crops(samples, faces, profile.policy, plan.work)
    learn, held = (shown.of(part) for part in hold_out(shown.samples, HELD_OUT_SHARE, plan.seed))
    check_sources(learn.samples, held.samples)
    without = len(samples) - len(shown.samples)
    log.info(
        "%d pictures to learn from, %d held out, %d without a face", len(learn.samples), len(held.samples), without
    )
    networks = []
    for number, (spec, recipe) in enumerate(profile.networks):
        if plan.only not in (None, spec.name):
            continue
        torch.manual_seed(plan.seed + number)
        network = plan.start(spec).to(device)
        if spec.name not in plan.keep:
            network = train_network(network, learn, recipe, plan.work, plan.seed + number, plan.machine)
        networks.append(compact(network) if profile.half else network)
    if plan.only:
        return
    stack = fit_stack(*_predicted(networks, held, plan.seed), profile.policy.threshold)
    policy = replace(profile.policy, false_positive_rate=stack.false_positive_rate, uncertain=stack.uncertain)
    identity = Identity(profile.name, profile.version)
    write_bundle(plan.output, identity, [each.cpu() for each in networks], stack.stacking, policy, half=profile.half)
    log.info("wrote %s", plan.output)


def _predicted(networks: list[HybridNetwork], held: Crops, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The networks' probabilities [2N, networks] of the N held-out pictures as they are and augmented, and bool [2N],
    which are fake.

    Augmented too, as most pictures that people hand over went through something: fitted on clean ones alone the
    stacking would be too sure.
    """
    pictures, sides = with_augmented(np.asarray(held.pictures), MEDIUM, seed), np.tile(held.face_sides, 2)
    predicted = [probabilities(network, pictures, sides) for network in networks]
    return np.stack(predicted, axis=1), np.array([sample.fake for sample in held.samples] * 2)


def check_sources(learn: list[Sample], held: list[Sample]) -> None:
    """UsageError, before hours are spent, where nothing could be learnt or judged."""
    if not sources_with_both(learn):
        raise UsageError("No source has both reals and fakes: a network would learn to tell the sources apart.")
    if len({sample.fake for sample in held}) < 2:
        raise UsageError(
            f"No group is small enough to be held out for the stacking ({HELD_OUT_SHARE:.0%} of a source's pictures, "
            "reals and fakes): divide the pictures into more groups."
        )
