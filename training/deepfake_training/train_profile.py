"""Trains a profile's networks and their stacking on labelled pictures, and writes a bundle."""

import logging
from collections.abc import Callable, Container
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from deepfake_contract.errors import UsageError
from deepfake_networks.bundle import Title
from deepfake_networks.network import HybridNetwork, NetworkSpec
from deepfake_networks.weights import compact
from deepfake_networks.writing import write_bundle

from deepfake_training.augment import USUAL, also_worn
from deepfake_training.crops import FindFace, cut_crops
from deepfake_training.data import Sample, hold_out, sources_with_both
from deepfake_training.machine import Machine
from deepfake_training.network_training import probabilities, train_member
from deepfake_training.pretrained import pretrained_network
from deepfake_training.recipes import HELD_OUT_SHARE, Profile
from deepfake_training.stack import fit_stack

log = logging.getLogger(__name__)


def train(
    samples: list[Sample],
    output: Path,
    work: Path,
    faces: AbstractContextManager[FindFace],
    profile: Profile,
    seed: int,
    start: Callable[[NetworkSpec], HybridNetwork] = pretrained_network,
    only: str | None = None,
    keep: Container[str] = (),
    machine: Machine | None = None,
) -> None:
    """Cuts the crops, trains the profile's networks, fits the stacking on held-out groups and writes the bundle.

    Networks whose role is in `keep` stay as `start` gives them. With a role in `only`, just that one is trained. Crops
    and checkpoints stay in `work`. The order of the data depends on the seed alone, and is another for each network.
    """
    shown = cut_crops(samples, faces, profile.policy, work)
    learn, held = (shown.of(part) for part in hold_out(shown.samples, HELD_OUT_SHARE, seed))
    check_sources(learn.samples, held.samples)
    without = len(samples) - len(shown.samples)
    log.info(
        "%d pictures to learn from, %d held out, %d without a face", len(learn.samples), len(held.samples), without
    )
    networks = []
    for number, (spec, recipe) in enumerate(profile.members):
        if only not in (None, spec.role):
            continue
        torch.manual_seed(seed + number)
        network = start(spec)
        if spec.role not in keep:
            network = train_member(network, learn, recipe, work, seed + number, machine).cpu()
        networks.append(compact(network) if profile.half else network)
    if only:
        return
    # Worn too, as most pictures that people hand over are: fitted on clean ones alone the answers would be too sure.
    pictures = also_worn(np.asarray(held.pictures), USUAL, seed)
    answers = np.stack([probabilities(network, pictures) for network in networks], axis=1)
    stack = fit_stack(answers, np.array([sample.fake for sample in held.samples] * 2))
    policy = replace(profile.policy, false_positive_rate=stack.false_positive_rate, uncertain=stack.uncertain)
    title = Title(profile.name, profile.version)
    write_bundle(output, title, networks, stack.scaler, stack.regression, policy, half=profile.half)
    log.info("wrote %s", output)


def check_sources(learn: list[Sample], held: list[Sample]) -> None:
    """UsageError, before hours are spent, where nothing could be learnt or judged."""
    if not sources_with_both(learn):
        raise UsageError("No source has both reals and fakes: a network would learn to tell the sources apart.")
    if len({sample.fake for sample in held}) < 2:
        raise UsageError(
            f"No group is small enough to be held out for the stacking ({HELD_OUT_SHARE:.0%} of a source's pictures, "
            "reals and fakes): divide the pictures into more groups."
        )


def scaled(profile: Profile, budget: float) -> Profile:
    """The profile with `budget` times as many pictures for each network."""
    members = tuple(
        (spec, replace(recipe, pictures=round(recipe.pictures * budget))) for spec, recipe in profile.members
    )
    return replace(profile, members=members)
