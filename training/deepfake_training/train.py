"""deepfake train DATA --output BUNDLE"""

import argparse
import logging
from collections.abc import Callable, Container
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from deepfake_client.errors import UsageError
from deepfake_detector.bundle import Title
from deepfake_detector.network import HybridNetwork, NetworkSpec
from deepfake_detector.profiles import ROLES
from deepfake_detector.weights import compact
from deepfake_detector.writing import write_bundle

from deepfake_training.augment import USUAL, also_worn
from deepfake_training.crops import FindFace, cut_crops
from deepfake_training.data import Sample, hold_out, read_samples
from deepfake_training.member import probabilities, train_member
from deepfake_training.pretrained import networks_of, pretrained_network
from deepfake_training.recipes import PROFILES, Profile
from deepfake_training.stack import fit_stack

HELD_OUT = 0.1  # of the training groups: never learnt from, kept for the stacking and its figures
CACHE = Path("~/.cache/deepfake-detector/training").expanduser()
log = logging.getLogger(__name__)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="deepfake train",
        description="Trains a profile's three networks and their stacking, and writes a bundle. Called again with the "
        "same options it goes on where it was stopped. Only rows of the split train are read.",
    )
    parser.add_argument(
        "data",
        type=Path,
        metavar="DATA",
        help="a CSV with the columns path, label (real or fake), source, group, split and maybe original; or a folder "
        "with real/ and fake/, each sub-folder of which is one group",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="BUNDLE", help="folder to write")
    parser.add_argument(
        "--profile", choices=PROFILES, default="lite", help="which networks; base wants a GPU (%(default)s)"
    )
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument(
        "--start", type=Path, metavar="BUNDLE", help="start from this bundle's networks instead of ImageNet's weights"
    )
    begin.add_argument("--untrained", action="store_true", help="start from random weights")
    parser.add_argument("--work", type=Path, default=CACHE, help="folder of crops and checkpoints (%(default)s)")
    parser.add_argument("--budget", type=float, default=1.0, help="factor on how many pictures each network sees (1)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--member",
        choices=ROLES,
        help="train this network only and write no bundle: for several at once, each on its own GPU or core; a last "
        "call without it joins them",
    )
    parser.add_argument(
        "--keep",
        choices=ROLES,
        action="append",
        default=[],
        help="take this network as it is in the bundle of --start; may be given again",
    )
    parser.add_argument(
        "--refine",
        action="store_true",
        help="with --start: trained networks go on at full size, their first stages as they are, at twice the speed",
    )
    parser.add_argument("--repository", type=Path, help="model repository with the face detector (the clone's)")
    options = parser.parse_args(arguments)
    if options.keep and not options.start:
        raise UsageError("--keep needs --start, the bundle whose network is kept.")
    profile = PROFILES[options.profile]
    if options.refine:
        if not options.start or profile.refining is None:
            raise UsageError("--refine needs --start, the bundle to go on from, and a profile made for it (lite).")
        profile = profile.refined()
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)
    profile = scaled(profile, options.budget)
    start = HybridNetwork if options.untrained else networks_of(options.start) if options.start else pretrained_network
    # gRPC and Triton are not everywhere where networks are trained.
    from deepfake_training.face_search import served_faces

    samples = read_samples(options.data.resolve())
    train(
        samples,
        options.output,
        options.work,
        served_faces(options.repository),
        profile,
        options.seed,
        start,
        options.member,
        options.keep,
    )
    return 0


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
) -> None:
    """Cuts the crops, trains the profile's networks, fits the stacking on held-out groups and writes the bundle.

    Networks whose role is in `keep` stay as `start` gives them. With a role in `only`, just that one is trained. Crops
    and checkpoints stay in `work`. The order of the data depends on the seed alone, and is another for each network.
    """
    shown = cut_crops(samples, faces, profile.policy, work)
    learn, held = (shown.of(part) for part in hold_out(shown.samples, HELD_OUT, seed))
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
            network = train_member(network, learn, recipe, work, seed + number)
        networks.append(compact(network) if profile.half else network)
    if only:
        return
    # Worn too, as most pictures that people hand over are: fitted on clean ones alone the answers would be too sure.
    pictures = also_worn(held.pictures, USUAL, seed)
    answers = np.stack([probabilities(network, pictures) for network in networks], axis=1)
    stack = fit_stack(answers, np.array([sample.fake for sample in held.samples] * 2))
    policy = replace(profile.policy, false_positive_rate=stack.false_positive_rate, uncertain=stack.uncertain)
    title = Title(profile.name, profile.version)
    write_bundle(output, title, networks, stack.scaler, stack.regression, policy, half=profile.half)
    log.info("wrote %s", output)


def check_sources(learn: list[Sample], held: list[Sample]) -> None:
    """UsageError, before hours are spent, where nothing could be learnt or judged; a line in the log for a source that
    teaches nothing."""
    labels: dict[str, set[bool]] = {}
    for sample in learn:
        labels.setdefault(sample.source, set()).add(sample.fake)
    for source in sorted(source for source, both in labels.items() if len(both) < 2):
        log.warning("nothing is learnt from the source %s: it has reals only, or fakes only", source)
    if not any(len(both) == 2 for both in labels.values()):
        raise UsageError("No source has both reals and fakes: a network would learn to tell the sources apart.")
    if len({sample.fake for sample in held}) < 2:
        raise UsageError(
            f"No group is small enough to be held out for the stacking ({HELD_OUT:.0%} of a source's pictures, reals "
            "and fakes): divide the pictures into more groups."
        )


def scaled(profile: Profile, budget: float) -> Profile:
    """The profile with `budget` times as many pictures for each network."""
    members = tuple(
        (spec, replace(recipe, pictures=round(recipe.pictures * budget))) for spec, recipe in profile.members
    )
    return replace(profile, members=members)
