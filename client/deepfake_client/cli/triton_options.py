"""The options of every command that starts a Triton, or uses one that runs."""

import argparse
from pathlib import Path


def add_triton_options(parser: argparse.ArgumentParser) -> None:
    """`triton` ("host:port"), `repository` (a Path) and `device` ("auto", "cpu" or "gpu")."""
    parser.add_argument(
        "--triton",
        metavar="HOST:PORT",
        help="use this running Triton (its gRPC address) instead of starting one (DEEPFAKE_TRITON)",
    )
    parser.add_argument(
        "--repository",
        type=Path,
        metavar="DIR",
        help="folder with the models to serve (DEEPFAKE_REPOSITORY; default: the clone's model_repository)",
    )
    device = parser.add_mutually_exclusive_group()
    device.add_argument("--cpu", dest="device", action="store_const", const="cpu", help="use no GPU")
    device.add_argument("--gpu", dest="device", action="store_const", const="gpu", help="fail if there is no GPU")
    parser.set_defaults(device="auto")


def parse(parser: argparse.ArgumentParser, arguments: list[str]) -> argparse.Namespace:
    """The options; a usage error where --triton stands beside an option that it would leave without effect."""
    options = parser.parse_args(arguments)
    if options.triton and (options.repository or options.device != "auto"):
        parser.error("--triton names a running Triton; --repository, --cpu and --gpu are for one that is started")
    return options
