"""Serves the ensemble on a GPU, compares its answers with the CPU's, and measures what serving makes of the GPU.

    .environments/training/bin/python benchmarks/gpu.py --output findings --minutes 8

Needs no network. ONNX Runtime's CUDA build stands in the serving environment (`scripts/serve --gpu` sets it up;
DEEPFAKE_SERVING_ENVIRONMENT names another one), CUDA 13 and cuDNN 9 where the loader finds them. `base` gets random
weights from a seed, here; `lite` is the bundle in the clone. The recipe is PyTorch eager, one frame at a time, three
networks in turn. A part that fails is said and the others run; what there is no time for is said too. Without a GPU
all of it runs on the CPU, with less measured. gpu.md and gpu.json in the folder are written as it goes.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import gpu_blocks
import torch
from deepfake_serving.environment import DEFAULT, VARIABLE
from gpu_bench import Plan
from gpu_findings import Findings

ROOT = Path(__file__).resolve().parent.parent
SHOWN = ("onnxruntime", "onnxruntime-gpu", "nvidia-pytriton", "numpy")  # of the serving environment's packages


def main(arguments: list[str] | None = None) -> int:
    """0 where every part ran, 1 where one failed or was interrupted."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--output", type=Path, required=True, help="folder for gpu.md and gpu.json")
    parser.add_argument("--minutes", type=float, default=8.0, help="of the whole run, about")
    parser.add_argument("--device", choices=("auto", "cuda", "cpu"), default="auto")
    parser.add_argument("--profiles", nargs="+", choices=("base", "lite"), default=["base", "lite"])
    parser.add_argument("--bundle", type=Path, default=ROOT / "bundles" / "lite", help="measured as lite")
    options = parser.parse_args(arguments)
    device = ("cuda" if torch.cuda.is_available() else "cpu") if options.device == "auto" else options.device
    serving = serving_folder(device)
    options.output.mkdir(parents=True, exist_ok=True)
    findings = Findings(options.output, machine=machine(device, serving) | {"minutes": options.minutes})
    end = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory(prefix="deepfake-gpu-") as work:
        plan = Plan(device, end, Path(work), options.profiles, options.bundle, serving)
        try:
            gpu_blocks.run(findings, plan)
        except KeyboardInterrupt:
            findings.parts.append({"name": "the rest", "failed": "interrupted"})
    findings.write()
    print((options.output / "gpu.md").read_text())
    return int(any("failed" in each for each in findings.parts))


def serving_folder(device: str) -> Path:
    """The environment that is named, else the clone's with ONNX Runtime's build for the device."""
    beside = DEFAULT.with_name("serving-gpu")
    usual = beside if device == "cuda" and beside.exists() else DEFAULT
    return Path(os.environ.get(VARIABLE) or usual).absolute()


def machine(device: str, serving: Path) -> dict[str, Any]:
    """What figures depend on."""
    packages = max(serving.glob("lib/python3.*/site-packages"), default=serving)
    held = {each.name.lower(): each.version for each in distributions(path=[str(packages)])}
    facts = {
        "device": device,
        "processor": f"{os.cpu_count()} cores, {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "serving": ", ".join(f"{name} {held[name]}" for name in SHOWN if name in held) or "nothing",
    }
    if device == "cuda":
        facts |= {"card": torch.cuda.get_device_name(0), "cuda": torch.version.cuda, "driver": driver()}
    return facts


def driver() -> str:
    command = shutil.which("nvidia-smi")
    if command is None:
        return "unknown: no nvidia-smi"
    asked = [command, "--query-gpu=driver_version", "--format=csv,noheader"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
