"""deepfake train DATA --output BUNDLE, or deepfake train --pack PACK --minutes M --output FOLDER"""

import argparse
import logging
import sys
import time
from pathlib import Path

from deepfake_contract.errors import DeepfakeError, UsageError
from deepfake_networks.bundle import describe
from deepfake_networks.network import HybridNetwork

from deepfake_training.data import read_training
from deepfake_training.from_pack import Job, train_from_pack
from deepfake_training.leave_one_out import train_without
from deepfake_training.machine import Machine, cores
from deepfake_training.packed import read_pack
from deepfake_training.plan_run import train_plan
from deepfake_training.plans import NETWORKS, Run, plan_for
from deepfake_training.pretrained import networks_of
from deepfake_training.profile_networks import Start, from_pretrained
from deepfake_training.recipes import PROFILES
from deepfake_training.splits import sources_with_both
from deepfake_training.train_profile import TrainingPlan, train

log = logging.getLogger(__name__)
CACHE = Path("~/.cache/deepfake-detector/training").expanduser()
WITH_DATA = ("profile", "untrained", "budget", "keep", "refine", "stack_on", "repository")
WITH_PACK = ("minutes", "pairs")
DESCRIPTION = """Trains networks that tell real faces from fake ones, from rows of the split train alone. Called again
with the same options it goes on where it was stopped.

With DATA: a profile's networks and their stacking, written as a bundle. With --without as well: the networks are
trained anew without a source, or without each in turn ("all"), and scores.csv with what they say of its pictures is
written in place of a bundle: what they know of a kind of fake that they never saw.

With --pack: what `deepfake pack` made, on this machine or another, for as many minutes as --minutes says: a plan's
networks side by side, and the same without each source in turn. Writes networks as files to carry (fp16, parts of at
most 16 MiB), and scores.csv with what each network says of pictures that it has not learnt from."""


def main(arguments: list[str]) -> int:
    """Trains, and answers with the exit code: 0 done, 130 stopped; UsageError where the options contradict."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)
    _check(options)
    try:
        (_train_from_pack if options.pack else _train_profile)(options, Machine.here(options.device, options.workers))
    except KeyboardInterrupt:
        print("Stopped; the same command goes on from here.", file=sys.stderr)
        return 130
    return 0


def _check(options: argparse.Namespace) -> None:
    if (options.pack is None) == (options.data is None):
        raise UsageError("Give DATA, a manifest or folder of labelled pictures, or --pack, what `deepfake pack` wrote.")
    others, mode = (WITH_DATA, "DATA") if options.pack else (WITH_PACK, "--pack")
    if given := [f"--{name.replace('_', '-')}" for name in others if getattr(options, name) not in (None, False, [])]:
        raise UsageError(f"{', '.join(given)} can be given with {mode} only.")
    for name in ("workers", "budget", "minutes", "pairs"):
        if (value := getattr(options, name)) is not None and not value > 0:
            raise UsageError(f"--{name} must be above 0, but is {value:g}.")
    if options.untrained and options.start:
        raise UsageError("--untrained starts from random weights and --start from trained ones: give one of them.")


def _train_profile(options: argparse.Namespace, machine: Machine) -> None:
    from deepfake_training.face_search import served_faces  # needs gRPC, which a machine that only trains may lack

    if options.keep and not options.start:
        raise UsageError("--keep needs --start, the bundle whose network is kept.")
    profile = PROFILES[options.profile or "lite"]
    if options.refine:
        if not options.start or profile.refining is None:
            raise UsageError("--refine needs --start, the bundle to go on from, and a profile made for it (lite).")
        profile = profile.refined(describe(options.start).names)
    if options.without:
        if options.start or options.refine or options.untrained:
            raise UsageError("--without trains anew from ImageNet's weights: leave --start, --refine, --untrained out.")
        profile = profile.without_a_source()
    start: Start = from_pretrained
    if options.untrained or options.start:
        start = HybridNetwork if options.untrained else networks_of(options.start)
    plan = TrainingPlan(
        profile.scaled(options.budget or 1.0),
        options.output,
        options.work,
        options.seed,
        start,
        only=options.network,
        keep=tuple(options.keep),
        left_out=options.stack_on,
        machine=machine,
    )
    samples, faces = read_training(options.data.resolve()), served_faces(options.repository)
    if options.without:
        log.info("wrote %s", train_without(samples, faces, plan, [options.without]))
    else:
        train(samples, faces, plan)


def _train_from_pack(options: argparse.Namespace, machine: Machine) -> None:
    if options.minutes is None:
        raise UsageError("--pack needs --minutes, the time to train for.")
    if options.network not in (None, *NETWORKS):
        raise UsageError(f"The plan has no network {options.network!r}; it has {', '.join(NETWORKS)}.")
    if options.without and not options.network:
        raise UsageError("--without needs --network: the plan leaves each source out by itself.")
    started = time.monotonic()
    packed = read_pack(options.pack, options.work, cores())
    job = Job(
        start=options.start or options.pack,
        output=options.output,
        work=options.work,
        machine=machine,
        seconds=max(1.0, 60 * options.minutes - (time.monotonic() - started)),
        seed=options.seed,
        pairs=options.pairs,
    )
    if options.network:
        train_from_pack(packed, Run(options.network, options.without), job)
    else:
        train_plan(options.pack, plan_for(sources_with_both(packed.learn.samples)), job)
    log.info("wrote %s", options.output)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="deepfake train", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "data",
        type=Path,
        nargs="?",
        metavar="DATA",
        help="a CSV with the columns path, label (real or fake), source, group, split and maybe original (a group is "
        "held out as a whole, in all sources that have one of its name); or a folder with real/ and fake/, each "
        "sub-folder of which is one group",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="folder to write")
    parser.add_argument("--work", type=Path, default=CACHE, help="folder of face crops and checkpoints (%(default)s)")
    parser.add_argument(
        "--seed", type=int, default=7, help="decides the pictures' order, and which are held out (%(default)s)"
    )
    parser.add_argument(
        "--network",
        metavar="NAME",
        help="train this network alone. With DATA no bundle is written: for training several at once, each on its own "
        "GPU or core; a last call without it joins them",
    )
    parser.add_argument(
        "--without",
        metavar="SOURCE",
        help="learn nothing from this source, and score up to 1,000 of its pictures; with DATA also `all`: each source "
        "that has reals and fakes in turn; with --pack it needs --network",
    )
    parser.add_argument("--device", choices=("cuda", "cpu"), help="by default the GPU where there is one")
    parser.add_argument(
        "--workers", type=int, metavar="N", help="processes that prepare pictures (on a GPU one per core, on a CPU one)"
    )
    parser.add_argument(
        "--start",
        type=Path,
        metavar="FOLDER",
        help="with DATA: start from this bundle (default: from ImageNet's weights); with --pack: from the networks' "
        "files in this folder (default: from the pack's)",
    )
    _add_profile_options(parser.add_argument_group("with DATA"))
    _add_pack_options(parser.add_argument_group("with --pack"))
    return parser


def _add_pack_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--pack", type=Path, metavar="PACK", help="folder that `deepfake pack` wrote")
    group.add_argument("--minutes", type=float, metavar="M", help="time for reading the pack and learning")
    group.add_argument(
        "--pairs", type=int, metavar="N", help="pairs of one real and one fake picture per step (default: the recipe's)"
    )


def _add_profile_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--profile", choices=PROFILES, help="which networks (default lite); base wants a GPU")
    group.add_argument("--untrained", action="store_true", help="start from random weights")
    group.add_argument(
        "--budget", type=float, metavar="X", help="multiplies the number of training pictures (default 1)"
    )
    group.add_argument(
        "--keep",
        metavar="NAME",
        action="append",
        default=[],
        help="keep this network as it is in the bundle of --start; may be given again",
    )
    group.add_argument(
        "--refine",
        action="store_true",
        help="continue training the networks of --start at 224 pixels with their first layers frozen (lite only)",
    )
    group.add_argument(
        "--stack-on",
        type=Path,
        metavar="SCORES",
        help="fit the stacking also on this scores.csv of --without all, on kinds of fakes that the networks never saw "
        "(they weigh as much as the kinds they know), and fake_from and real_below on it alone",
    )
    group.add_argument("--repository", type=Path, help="model repository with the face detector (default: the clone's)")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except DeepfakeError as error:
        sys.exit(str(error))
