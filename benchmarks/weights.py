"""What it costs to keep a network's weights once, as external data of its graph, instead of inside it.

    .environments/training/bin/python benchmarks/weights.py

Exports one network with random weights twice, from a checkpoint and from safetensors, and compares the size of what
lies on disk, the time that ONNX Runtime takes to load the model (the two in turn, medians), and the answers.
"""

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from deepfake_contract.description import Identity, NetworkSpec
from deepfake_contract.stacking import Stacking
from deepfake_export.configuration import CPU
from deepfake_export.examples import crops
from deepfake_export.repository import write_repository
from deepfake_networks.bundle import Bundle
from deepfake_networks.network import HybridNetwork
from deepfake_networks.profiles import LITE_POLICY
from deepfake_networks.writing import write_bundle
from rich.console import Console

WAYS = {"inside": ".pth", "external": ".safetensors"}


def export(folder: Path, spec: NetworkSpec) -> Path:
    """A bundle of the one network and its repository; the network's graph."""
    torch.manual_seed(0)
    stacking = Stacking((0.5,), (0.25,), (1.0,), 0.0)
    write_bundle(folder / "bundle", Identity("one", "1"), [HybridNetwork(spec)], stacking, LITE_POLICY, half=True)
    (folder / "repository").mkdir()
    write_repository(Bundle.load(folder / "bundle"), folder / "repository", CPU)
    return folder / "repository" / spec.name / "1" / "model.onnx"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--architecture", default="vit_small_patch16_224", help="a timm name")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    spec = NetworkSpec("one", options.architecture, "")
    if options.architecture.startswith("vit"):
        spec = replace(spec, arguments={"fc_norm": False})
    given = {"CROPS": crops(2)}
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        graphs = {way: export(Path(folder) / way, replace(spec, weights=f"one{end}")) for way, end in WAYS.items()}
        for _ in range(options.rounds):
            for way, graph in graphs.items():
                started = time.perf_counter()
                session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
                seconds[way].append(time.perf_counter() - started)
                del session
        answers = {
            way: onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"]).run(None, given)
            for way, graph in graphs.items()
        }
        for way, graph in graphs.items():
            files = [path.stat().st_size / 1e6 for path in sorted(graph.parent.iterdir())]
            shown = ", ".join(f"{size:.1f} MB" for size in files)
            Console().print(f"{way:>9}: {shown}; loaded in {statistics.median(seconds[way]):.2f} s")
    different = max(np.abs(a - b).max() for a, b in zip(*answers.values(), strict=True))
    Console().print(f"largest difference of an answer: {different:.1e}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
