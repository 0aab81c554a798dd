"""A small bundle of random weights, and the repository exported from it."""

import contextlib
import io
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from deepfake_detector.bundle import Bundle, Title
from deepfake_detector.network import HybridNetwork
from deepfake_detector.profiles import LITE_POLICY
from deepfake_detector.writing import write_bundle
from deepfake_export.command import main
from deepfake_export.configuration import ServingOptions
from deepfake_export.exporting import export
from deepfake_export.parity import Parity
from deepfake_export.pictures import crops as parity_crops
from families import FAMILIES
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler


@pytest.fixture(scope="session")
def bundle_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stored as float16, as the shipped one; drawn so that signals pass through every block."""
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
    write_bundle(folder, Title("test", "1.2.3"), networks, scaler, regression, LITE_POLICY, half=True)
    return folder


@pytest.fixture(scope="session")
def bundle(bundle_folder: Path) -> Bundle:
    return Bundle.load(bundle_folder)


@pytest.fixture(scope="session")
def crops() -> np.ndarray:
    return parity_crops(8)


@pytest.fixture(scope="session")
def exported(bundle_folder, crops, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Parity]:
    output = tmp_path_factory.mktemp("exported") / "repository"
    return output, export(bundle_folder, output, ServingOptions(), crops)


@pytest.fixture(scope="session")
def exported_repository(exported: tuple[Path, Parity]) -> Path:
    return exported[0]


@pytest.fixture
def changed(exported_repository: Path, tmp_path: Path) -> Path:
    """A copy of the repository to change."""
    return Path(shutil.copytree(exported_repository, tmp_path / "changed"))


@pytest.fixture
def ready_written(exported_repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing a repository copies the exported one: for tests of what happens around it."""
    monkeypatch.setattr(
        "deepfake_export.exporting.write_repository",
        lambda bundle, folder, options: shutil.copytree(exported_repository, folder, dirs_exist_ok=True),
    )


@dataclass(frozen=True)
class Run:
    """What `deepfake export` gave for the second export of the same bundle, over an earlier repository."""

    code: int
    printed: str
    output: Path


@pytest.fixture(scope="session")
def second(bundle_folder: Path, exported_repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    output = tmp_path_factory.mktemp("second") / "repository"
    shutil.copytree(exported_repository, output)
    (output / "mark").touch()
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.setattr("deepfake_export.command.crops", lambda: parity_crops(1))
        code = main([str(bundle_folder), "--output", str(output)])
    return Run(code, printed.getvalue(), output)
