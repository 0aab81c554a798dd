"""A small bundle of random weights, and the benchmarks' modules, which are scripts and no package."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from deepfake_detector.bundle import Title
from deepfake_detector.network import HybridNetwork
from deepfake_detector.profiles import LITE_POLICY
from deepfake_detector.writing import write_bundle
from families import FAMILIES
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))


@pytest.fixture(scope="session")
def small_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    networks = [HybridNetwork(spec) for spec in FAMILIES]
    for network in networks:
        for name, value in network.named_parameters():
            if value.ndim > 1:
                torch.nn.init.normal_(value, std=(1.5 / value[0].numel()) ** 0.5)
            elif name.endswith("gamma"):
                torch.nn.init.normal_(value, mean=0.3, std=0.1)
    scores = np.random.default_rng(0).random((100, 3))
    scaler = StandardScaler().fit(scores)
    regression = LogisticRegression().fit(scaler.transform(scores), (scores @ [3, 2, 1] > 3).astype(int))
    folder = tmp_path_factory.mktemp("bundle")
    write_bundle(folder, Title("small", "1.0.0"), networks, scaler, regression, LITE_POLICY, half=True)
    return folder


@pytest.fixture(scope="session")
def gpu_repository(small_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle with a GPU's settings."""
    from gpu_prepare import export_to

    return export_to(small_bundle, tmp_path_factory.mktemp("repositories") / "gpu", "float32", "cuda")
