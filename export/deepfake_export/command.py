"""deepfake export BUNDLE --output REPOSITORY"""

import argparse
import logging
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from deepfake_export.configuration import CPU, GPU, ServingOptions
from deepfake_export.examples import CROPS
from deepfake_export.exporting import export
from deepfake_export.gpu import FLOAT32, PRECISIONS, SEARCHES, GpuOptions

GPU_NAMES = ("precision", "convolution_search", "tensorrt")
MOST = 999_999  # of each number below


def main(arguments: list[str]) -> int:
    """Exports a bundle, prints the parity report, and answers with the exit code: 0 done, 1 not exported, 2 usage."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if wrong := _contradiction(options):
        parser.error(wrong)
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    # Terminated like interrupted: what was written so far is removed on the way out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        parity = export(options.bundle, options.output, _serving(options), CROPS, progress=_say)
    except KeyboardInterrupt:
        print(f"Interrupted: {options.output} was left as it was.", file=sys.stderr)
        return 130
    print(parity)
    print(f"Exported to {options.output}")
    return 0


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def _serving(options: argparse.Namespace) -> ServingOptions:
    names = ("batch_size", "instances", "threads", "queue_timeout_s", "queue_delay_s")
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    if not options.gpu:
        return replace(CPU, **given)
    gpu = {name: getattr(options, name) for name in GPU_NAMES if getattr(options, name)}
    return replace(GPU, gpu=GpuOptions(**gpu), **given)


def _contradiction(options: argparse.Namespace) -> str | None:
    if not options.gpu and any(getattr(options, name) for name in GPU_NAMES):
        return "--precision, --convolution-search and --tensorrt are for a GPU: say --gpu too."
    if options.tensorrt and (options.precision or FLOAT32) == FLOAT32:
        return "TensorRT rounds the factors of its products: say --precision tf32 or float16 too."
    return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="deepfake export",
        description="Writes a bundle of trained files as a Triton model repository, and compares it with PyTorch and "
        "scikit-learn. The repository appears whole or not at all; one that is there is replaced.",
    )
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="folder of the trained files")
    parser.add_argument("--output", type=Path, required=True, metavar="REPOSITORY", help="folder to write")
    parser.add_argument(
        "--gpu",
        action="store_true",
        help="write settings for a GPU, not yet measured on one: other defaults for the numbers below. The repository "
        "still runs on a CPU",
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        help="how exactly a GPU computes. float32 (default): exactly. tf32: tensor cores round the factors of each "
        "product to 10 bits; this report is made on a CPU and does not show it. float16: the networks up to their last "
        "feature map are in half precision; the report says how far they differ",
    )
    parser.add_argument(
        "--convolution-search",
        choices=SEARCHES,
        help="how a GPU's convolutions are chosen (default: heuristic); exhaustive times all of them for each new "
        "batch size",
    )
    parser.add_argument(
        "--tensorrt",
        action="store_true",
        help="run the networks by TensorRT, with tf32 or float16. For NVIDIA's image; an engine is built at each "
        "start, for minutes. Not tried",
    )
    for name, destination, kind, lowest, text in (
        ("--batch-size", "batch_size", int, 1, "most crops in a batch; on a CPU the client's batch and not more"),
        ("--instances", "instances", int, 1, "copies of each network that run at once"),
        ("--threads", "threads", int, 1, "threads per copy, on a CPU"),
        ("--queue-timeout", "queue_timeout_s", float, 0.001, "seconds a request may wait before it is rejected"),
        ("--queue-delay", "queue_delay_s", float, 0.0, "seconds a batch that is not full waits for more crops"),
    ):
        defaults = f"{getattr(CPU, destination):g}; on a GPU {getattr(GPU, destination):g}"
        parser.add_argument(
            name, dest=destination, type=_number(kind, lowest), metavar="N", help=f"{text} ({defaults})"
        )
    return parser


def _number(kind: type, lowest: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = kind(text)
        if not lowest <= value <= MOST:
            raise argparse.ArgumentTypeError(f"must be from {lowest:g} to {MOST}")
        return value

    return number
