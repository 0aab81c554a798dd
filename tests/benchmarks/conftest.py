"""A small bundle of random weights, and the benchmarks' modules, which are scripts and no package."""

import sys
from pathlib import Path

import pytest
from deepfake_contract.description import Identity
from families import write_random_bundle

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))


@pytest.fixture(scope="session")
def small_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_bundle(tmp_path_factory.mktemp("bundle"), Identity("small", "1.0.0"))


@pytest.fixture(scope="session")
def gpu_repository(small_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle with a GPU's settings."""
    from gpu_prepare import export_to

    return export_to(small_bundle, tmp_path_factory.mktemp("repositories") / "gpu", "float32", "cuda")
