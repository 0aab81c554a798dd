"""What is measured: bundles, the repositories exported from them with a GPU's settings, and the CPU's answers."""

import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from bare import Tensors
from bare_host import BareHost
from deepfake_export.configuration import GPU
from deepfake_export.examples import crops, face_sides
from deepfake_export.gpu import FLOAT32, GpuOptions
from deepfake_export.repository import write_repository
from deepfake_export.rounding import measure_rounding
from deepfake_networks.bundle import Bundle
from deepfake_serving.environment import Environment
from gpu_variants import change, small_warm_up

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from base_bundle import make_base_bundle

__all__ = ["BATCH", "Subject", "export_to", "make_base_bundle", "prepare"]

CROPS = {"cuda": 16, "cpu": 6}  # that answers are compared on: base takes a CPU seconds for each
BATCH = 8  # crops a call, of these


@dataclass(frozen=True)
class Subject:
    """One profile: its float32 repository, the crops and the CPU's answers; `decided` [N] crops' maps are compared.
    `export_s`: seconds that writing the repository took."""

    profile: str
    bundle: Path
    repository: Path
    crops: np.ndarray
    reference: Tensors
    decided: np.ndarray
    export_s: float


def prepare(profile: str, bundle: Path, folder: Path, environment: Environment, device: str) -> Subject:
    """Exports a bundle and asks the CPU; PyTorch says which maps rounding decides."""
    start = time.monotonic()
    repository = export_to(bundle, folder / f"{profile}_float32", FLOAT32, device)
    export_s = time.monotonic() - start
    loaded, count = Bundle.load(bundle), CROPS[device]
    compared = crops(count, loaded.description.policy.crop_side)
    kinks = [measure_rounding(each, compared, face_sides(count)).at_kink for each in loaded.networks.values()]
    with BareHost(environment, None) as host:
        host.open(profile, repository)
        reference = host.answer(profile, compared, BATCH)
    return Subject(profile, bundle, repository, compared, reference, ~np.any(kinks, axis=0), export_s)


def export_to(bundle: Path, repository: Path, precision: str, device: str) -> Path:
    """Writes a bundle as `deepfake export --gpu --precision` does, without its comparison; on a CPU with a small
    warm-up, since a GPU's batch would keep the server's start busy for a minute."""
    repository.mkdir()
    write_repository(Bundle.load(bundle), repository, replace(GPU, gpu=GpuOptions(precision)))
    if device == "cpu":
        change(repository, small_warm_up)
    return repository
