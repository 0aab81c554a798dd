"""A small bundle of random weights, and copies of it to damage."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from deepfake_contract.description import Identity
from deepfake_networks.network import HybridNetwork
from deepfake_networks.profiles import LITE_POLICY
from deepfake_networks.writing import write_bundle
from families import FAMILIES, random_estimators, stacking_of
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler


@pytest.fixture(scope="session")
def networks() -> list[HybridNetwork]:
    torch.manual_seed(0)
    return [HybridNetwork(spec).eval() for spec in FAMILIES]


@pytest.fixture(scope="session")
def estimators() -> tuple[StandardScaler, LogisticRegression]:
    fitted = random_estimators(3)
    return fitted[0], fitted[1]


@pytest.fixture(scope="session")
def bundle_folder(networks, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    write_bundle(folder, Identity("test", "1.2.3"), networks, stacking_of(random_estimators(3)), LITE_POLICY)
    return folder


@pytest.fixture
def damaged(bundle_folder: Path, tmp_path: Path) -> Path:
    """A copy of the bundle to damage."""
    return Path(shutil.copytree(bundle_folder, tmp_path / "damaged"))


@pytest.fixture
def change_state(damaged: Path) -> Callable[[Callable[[dict], object]], Path]:
    """Rewrites the first network's state dict by a function, in the copy."""

    def change(function: Callable[[dict], object]) -> Path:
        path = damaged / FAMILIES[0].weights
        checkpoint = torch.load(path, weights_only=True)
        function(checkpoint["model_state"])
        torch.save(checkpoint, path)
        return damaged

    return change
