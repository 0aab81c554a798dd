"""The committed repository is what exporting the committed bundle gives."""

import json
from pathlib import Path

import numpy as np
import pytest
from deepfake_contract.tensors import BUNDLE_PARAMETER, CROPS, ENSEMBLE
from deepfake_export.configuration import CPU
from deepfake_export.exporting import export
from deepfake_export.sessions import Sessions, read_configuration
from deepfake_networks.bundle import describe

CLONE = Path(__file__).parents[2]
BUNDLE, REPOSITORY = CLONE / "bundles" / "lite", CLONE / "model_repository"


@pytest.fixture(scope="module")
def fresh(crops, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("fresh") / "repository"
    assert export(BUNDLE, output, CPU, len(crops)).passed
    return output


def test_the_committed_repository_carries_the_bundles_digest():
    parameter = read_configuration(REPOSITORY, ENSEMBLE).parameters[BUNDLE_PARAMETER]
    assert json.loads(parameter.string_value) == describe(BUNDLE).to_json()


def test_the_committed_repository_has_the_configurations_of_a_fresh_export(fresh):
    names = {path.name for path in fresh.iterdir()}
    assert {path.name for path in REPOSITORY.iterdir()} == names
    for name in names:
        assert read_configuration(REPOSITORY, name) == read_configuration(fresh, name), name


def test_the_committed_repository_answers_as_a_fresh_export(fresh, crops):
    committed, again = (Sessions(folder).run_ensemble({CROPS: crops}) for folder in (REPOSITORY, fresh))
    for spec in describe(BUNDLE).outputs:
        assert np.abs(committed[spec.name] - again[spec.name]).max() < 1e-6, spec.name


def test_the_committed_files_are_compact():
    """They enter git's history: float16 weights, so about 8 MB a network."""
    sizes = [path.stat().st_size for folder in (BUNDLE, REPOSITORY) for path in folder.rglob("*") if path.is_file()]
    assert sum(sizes) < 60e6
