"""Trains a profile's networks and their stacking on labelled pictures, and writes a bundle."""

import logging
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from deepfake_contract.description import Identity
from deepfake_contract.errors import UsageError
from deepfake_networks.network import HybridNetwork
from deepfake_networks.weights import compact
from deepfake_networks.writing import write_bundle

from deepfake_training.augment import MEDIUM, with_augmented
from deepfake_training.crops import Crops, FindFace, cut_crops
from deepfake_training.data import Sample
from deepfake_training.detail import detail
from deepfake_training.left_out import LeftOut, earning, fitted_policy, read_left_out
from deepfake_training.machine import Machine
from deepfake_training.probabilities import probabilities
from deepfake_training.profile_networks import Start, Trainer, from_pretrained
from deepfake_training.recipes import HELD_OUT_SHARE, Profile
from deepfake_training.splits import hold_out, sources_with_both
from deepfake_training.stack import false_positive_rate, fit_stack, real_scores, stacked

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingPlan:
    """What is trained, and how. `start` gives networks to begin with; those named in `keep` stay as it gives them.
    With a name in `only`, just that network is trained and no bundle written. Crops and checkpoints stay in `work`;
    `seed` decides what is held out, and the pictures' order. `left_out`: a table of scores on sources left out, which
    the stacking is fitted on beside held-out groups; a network that earns no weight there is not in the bundle."""

    profile: Profile
    output: Path
    work: Path
    seed: int
    start: Start = from_pretrained
    only: str | None = None
    keep: tuple[str, ...] = ()
    left_out: Path | None = None
    machine: Machine = field(default_factory=Machine.here)

    def __post_init__(self) -> None:
        for name in (*self.keep, *([self.only] if self.only else [])):
            self.profile.network(name)


def train(samples: list[Sample], faces: AbstractContextManager[FindFace], plan: TrainingPlan) -> None:
    """Cuts the face crops, trains the plan's networks, fits the stacking and writes the bundle."""
    profile, device = plan.profile, plan.machine.device
    left_out = read_left_out(plan.left_out, profile.names) if plan.left_out else None  # before hours are spent
    shown = cut_crops(samples, faces, profile.policy, plan.work)
    learn, held = (shown.of(part) for part in hold_out(shown.samples, HELD_OUT_SHARE, plan.seed))
    check_sources(learn.samples, held.samples)
    without = len(samples) - len(shown.samples)
    log.info(
        "%d pictures to learn from, %d held out, %d without a face", len(learn.samples), len(held.samples), without
    )
    trainer = Trainer(profile, plan.work, plan.seed, plan.machine, plan.start)
    networks = []
    for name in profile.names if plan.only is None else [plan.only]:
        network = (trainer.begin if name in plan.keep else trainer.trained)(name, learn).to(device)
        networks.append(compact(network) if profile.half else network)
    if plan.only:
        return
    predicted, y_true = _predicted(networks, held, plan.seed)
    if left_out is None:
        fitted = fit_stack(predicted, y_true, profile.policy.threshold)
        stacking, policy = fitted.stacking, replace(profile.policy, uncertain=fitted.uncertain)
    else:
        known = _known(held, predicted, y_true)
        kept = earning(left_out, known, profile.policy.threshold)
        for index in set(range(len(networks))) - set(kept):
            log.info("%s earns no weight in the stacking: it is left out of the bundle", profile.names[index])
        networks, predicted = [networks[index] for index in kept], predicted[:, kept]
        left_out, known = left_out.of_networks(kept), known.of_networks(kept)
        stacking, policy = fitted_policy(left_out, known, profile.policy, _details(shown, left_out))
    y_score = stacked(stacking, predicted)
    rate = false_positive_rate(y_score, y_true, policy.threshold)
    policy = replace(policy, false_positive_rate=rate, real_scores=real_scores(y_score, y_true))
    identity = Identity(profile.name, profile.version)
    write_bundle(plan.output, identity, [each.cpu() for each in networks], stacking, policy, half=profile.half)
    log.info("wrote %s", plan.output)


def _known(held: Crops, predicted: np.ndarray, y_true: np.ndarray) -> LeftOut:
    """The held-out pictures, as they are and augmented, with the networks' probabilities."""
    names = ("source", "group", "path")
    source, group, path = (np.array([str(getattr(each, name)) for each in held.samples] * 2) for name in names)
    return LeftOut(predicted, y_true, source, group, path)


def _details(shown: Crops, left_out: LeftOut) -> dict[str, float]:
    """Fine detail of the pictures left out, by path; UsageError where one is not among those shown."""
    place = {str(sample.path): index for index, sample in enumerate(shown.samples)}
    if unknown := set(left_out.path) - set(place):
        raise UsageError(f"{sorted(unknown)[0]} has scores, but DATA has no such picture: they are of other pictures.")
    return {path: detail(shown.pictures[place[path]]) for path in left_out.path}


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
