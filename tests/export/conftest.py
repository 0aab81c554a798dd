"""A small bundle of random weights, and the repository exported from it."""

import contextlib
import io
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from deepfake_contract.description import Identity
from deepfake_export.command import main
from deepfake_export.configuration import ServingOptions
from deepfake_export.examples import crops as parity_crops
from deepfake_export.exporting import export
from deepfake_export.parity import Parity
from deepfake_networks.bundle import Bundle
from families import write_random_bundle


@pytest.fixture(scope="session")
def bundle_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stored as float16, as the shipped one; drawn so that signals pass through every block."""
    return write_random_bundle(tmp_path_factory.mktemp("bundle"), Identity("test", "1.2.3"))


@pytest.fixture(scope="session")
def bundle(bundle_folder: Path) -> Bundle:
    return Bundle.load(bundle_folder)


@pytest.fixture(scope="session")
def crops() -> np.ndarray:
    return parity_crops(8)


@pytest.fixture(scope="session")
def exported(bundle_folder, crops, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Parity]:
    output = tmp_path_factory.mktemp("exported") / "repository"
    return output, export(bundle_folder, output, ServingOptions(), len(crops))


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
        patch.setattr("deepfake_export.command.CROPS", 1)
        code = main([str(bundle_folder), "--output", str(output)])
    return Run(code, printed.getvalue(), output)
