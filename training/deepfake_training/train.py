"""deepfake train DATA --output BUNDLE, or deepfake train --pack PACK --minutes M --output FOLDER"""

import argparse
import logging
import sys
import time
from dataclasses import replace
from pathlib import Path

from deepfake_contract.errors import DeepfakeError, UsageError
from deepfake_networks.network import HybridNetwork

from deepfake_training.data import read_training
from deepfake_training.from_pack import Job, train_from_pack
from deepfake_training.machine import Machine, cores
from deepfake_training.packed import read_pack
from deepfake_training.plan_run import train_plan
from deepfake_training.plans import NETWORKS, Run, plan_for
from deepfake_training.pretrained import networks_of, pretrained_network
from deepfake_training.recipes import PROFILES
from deepfake_training.splits import sources_with_both
from deepfake_training.train_profile import TrainingPlan, train

log = logging.getLogger(__name__)
CACHE = Path("~/.cache/deepfake-detector/training").expanduser()
DESCRIPTION = """Trains networks that tell real faces from fake ones, from rows of the split train alone. Called again
with the same options it goes on where it was stopped.

With DATA: a profile's networks and their stacking, written as a bundle.

With --pack: what `deepfake pack` made, on this machine or another, for as many minutes as --minutes says: a plan's
networks side by side, and the same without each source in turn. Writes networks as files to carry (fp16, parts of at
most 16 MiB), and scores.csv with what each network says of pictures that it has not learnt from."""


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)
    if (options.pack is None) == (options.data is None):
        raise UsageError("Give DATA, a manifest or folder of labelled pictures, or --pack, what `deepfake pack` wrote.")
    machine = Machine.here(options.device, options.workers)
    return _train_from_pack(options, machine) if options.pack else _train_profile(options, machine)


def _train_profile(options: argparse.Namespace, machine: Machine) -> int:
    from deepfake_training.face_search import served_faces  # needs gRPC, which a machine that only trains may lack

    if options.keep and not options.start:
        raise UsageError("--keep needs --start, the bundle whose network is kept.")
    profile = PROFILES[options.profile]
    if options.refine:
        if not options.start or profile.refining is None:
            raise UsageError("--refine needs --start, the bundle to go on from, and a profile made for it (lite).")
        profile = profile.refined()
    start = HybridNetwork if options.untrained else networks_of(options.start) if options.start else pretrained_network
    plan = TrainingPlan(
        profile.scaled(options.budget),
        options.output,
        options.work,
        options.seed,
        start,
        only=options.network,
        keep=tuple(options.keep),
        machine=machine,
    )
    train(read_training(options.data.resolve()), served_faces(options.repository), plan)
    return 0


def _train_from_pack(options: argparse.Namespace, machine: Machine) -> int:
    if not options.minutes or options.minutes <= 0:
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
        seconds=60 * options.minutes,
        seed=options.seed,
        pairs=options.pairs,
    )
    if options.network:
        train_from_pack(packed, Run(options.network, options.without), job)
    else:
        rest = replace(job, seconds=job.seconds - (time.monotonic() - started))
        train_plan(options.pack, plan_for(sources_with_both(packed.learn.samples)), rest)
    log.info("wrote %s", options.output)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="deepfake train", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "data",
        type=Path,
        nargs="?",
        metavar="DATA",
        help="a CSV with the columns path, label (real or fake), source, group, split and maybe original; or a folder "
        "with real/ and fake/, each sub-folder of which is one group",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="folder to write")
    parser.add_argument("--work", type=Path, default=CACHE, help="folder of face crops and checkpoints (%(default)s)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--network",
        metavar="NAME",
        help="train this network alone. With DATA no bundle is written: for several at once, each on its own GPU or "
        "core; a last call without it joins them",
    )
    parser.add_argument("--device", choices=("cuda", "cpu"), help="by default the GPU where there is one")
    parser.add_argument(
        "--workers", type=int, metavar="N", help="processes that prepare pictures (GPU: one a core, CPU: one)"
    )
    parser.add_argument(
        "--start",
        type=Path,
        metavar="FOLDER",
        help="start from this bundle (DATA; else ImageNet's weights), or these networks' files (--pack; else its own)",
    )
    _add_profile_options(parser.add_argument_group("with DATA"))
    _add_pack_options(parser.add_argument_group("with --pack"))
    return parser


def _add_pack_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--pack", type=Path, metavar="PACK", help="folder that `deepfake pack` wrote")
    group.add_argument("--minutes", type=float, metavar="M", help="time to read the pack and to learn")
    group.add_argument("--without", metavar="SOURCE", help="with --network: learn nothing from it, and score it")
    group.add_argument("--pairs", type=int, metavar="N", help="of a real and a fake a step (the recipes')")


def _add_profile_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--profile", choices=PROFILES, default="lite", help="which networks; base wants a GPU (%(default)s)"
    )
    group.add_argument("--untrained", action="store_true", help="start from random weights")
    group.add_argument("--budget", type=float, default=1.0, help="factor on how many pictures each network sees (1)")
    group.add_argument(
        "--keep",
        metavar="NAME",
        action="append",
        default=[],
        help="take this network as it is in the bundle of --start; may be given again",
    )
    group.add_argument(
        "--refine",
        action="store_true",
        help="with --start: trained networks go on at full size, their first stages as they are, at twice the speed",
    )
    group.add_argument("--repository", type=Path, help="model repository with the face detector (the clone's)")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except DeepfakeError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Stopped; the same command goes on from here.")
