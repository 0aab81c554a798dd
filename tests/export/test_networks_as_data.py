"""Bundles of other networks than three: exported as they describe themselves, without a line of code changed."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from deepfake_contract.description import Identity, NetworkSpec
from deepfake_contract.errors import BundleError
from deepfake_contract.policy import Policy
from deepfake_export.configuration import ServingOptions
from deepfake_export.examples import crops, face_sides
from deepfake_export.exporting import export
from deepfake_export.parity import Parity
from deepfake_export.sessions import Sessions, read_configuration
from deepfake_networks.bundle import Bundle
from deepfake_networks.profiles import LITE_POLICY
from families import FOUR, TRANSFORMER, TWO, write_random_bundle

SMALLER = replace(LITE_POLICY, crop_side=168)


@dataclass(frozen=True)
class Exported:
    bundle: Path
    repository: Path
    parity: Parity


def exported(folder: Path, specs: Sequence[NetworkSpec], policy: Policy) -> Exported:
    bundle = write_random_bundle(folder / "bundle", Identity("many", "1.0.0"), specs, policy)
    return Exported(bundle, folder / "repository", export(bundle, folder / "repository", ServingOptions(), 4))


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> Exported:
    return exported(tmp_path_factory.mktemp("two"), TWO, SMALLER)


@pytest.fixture(scope="module")
def four(tmp_path_factory) -> Exported:
    return exported(tmp_path_factory.mktemp("four"), FOUR, LITE_POLICY)


def test_two_networks_answer_as_pytorch_does_on_crops_of_another_size(two):
    assert two.parity.passed, str(two.parity)
    ensemble = read_configuration(two.repository, "deepfake_ensemble")
    assert [(each.name, list(each.dims)) for each in ensemble.input] == [("CROPS", [168, 168, 3])]
    assert [list(each.dims) for each in ensemble.output] == [[1], [2], [7, 7]]
    assert {"picture_only", "convnext"} < {path.name for path in two.repository.iterdir()}


def test_a_network_without_a_spectrum_takes_crops_alone(two):
    assert [each.name for each in read_configuration(two.repository, "picture_only").input] == ["CROPS"]
    assert [each.name for each in read_configuration(two.repository, "fft_branch").output] == ["CONVNEXT_FFT"]


def test_without_any_spectrum_there_is_no_branch_for_it(tmp_path):
    bundle = write_random_bundle(tmp_path / "bundle", Identity("one", "1.0.0"), TWO[:1])
    assert export(bundle, tmp_path / "repository", ServingOptions(), 1).passed
    assert {path.name for path in (tmp_path / "repository").iterdir()} == {
        *("deepfake_ensemble", "face_detector", "meta_model", "picture_only")
    }


def test_four_networks_answer_as_pytorch_does(four):
    assert four.parity.passed, str(four.parity)
    compared = {(row.model, row.output) for row in four.parity.rows}
    assert {(spec.name, "EVIDENCE") for spec in FOUR} < compared


def test_the_faces_side_is_asked_for_where_a_network_wants_it_and_changes_the_answer(four):
    inputs = [each.name for each in read_configuration(four.repository, "deepfake_ensemble").input]
    assert inputs == ["CROPS", "FACE_SIDE"]
    sessions, pictures, sides = Sessions(four.repository), crops(2), face_sides(2)
    small, large = (
        sessions.run_ensemble({"CROPS": pictures, "FACE_SIDE": each})["MODEL_PROBABILITIES"]
        for each in (sides, 8 * sides)
    )
    assert np.array_equal(small[:, :3], large[:, :3])
    assert (np.abs(small[:, 3] - large[:, 3]) > 1e-4).all()


def test_weights_as_safetensors_lie_once_beside_the_graph_that_refers_to_them(four):
    version = four.repository / TRANSFORMER.name / "1"
    assert sorted(path.name for path in version.iterdir()) == ["model.onnx", TRANSFORMER.weights]
    weights = version / TRANSFORMER.weights
    assert weights.read_bytes() == (four.bundle / TRANSFORMER.weights).read_bytes()
    assert (version / "model.onnx").stat().st_size < 0.2 * weights.stat().st_size
    onnx.checker.check_model(version / "model.onnx")  # opens what it refers to


def test_a_bundle_may_name_the_weights_that_the_repository_holds(four, tmp_path):
    """So that one copy of large weights serves both: exporting again replaces it with itself."""
    folder = Path(shutil.copytree(four.bundle.parent, tmp_path / "copy"))
    (folder / "bundle" / TRANSFORMER.weights).unlink()
    toml = folder / "bundle" / "bundle.toml"
    there = f"../repository/{TRANSFORMER.name}/1/{TRANSFORMER.weights}"
    toml.write_text(toml.read_text().replace(f'"{TRANSFORMER.weights}"', f'"{there}"'))
    assert export(folder / "bundle", folder / "repository", ServingOptions(), 1).passed
    assert Bundle.load(folder / "bundle").networks.keys() == {spec.name for spec in FOUR}


def test_crops_of_another_size_than_a_network_takes_are_refused(four, tmp_path):
    bundle = Path(shutil.copytree(four.bundle, tmp_path / "bundle"))
    toml = bundle / "bundle.toml"
    toml.write_text(toml.read_text().replace("crop_side = 224", "crop_side = 168"))
    with pytest.raises(BundleError, match="Network swin takes crops of 224 pixels, but crop_side is 168"):
        Bundle.load(bundle)
