"""Networks in which rounding decides maps are exported all the same, and a wrong graph of one is refused."""

import shutil
from pathlib import Path

import base_bundle
import numpy as np
import onnx
import pytest
import torch
from deepfake_contract.description import FFTSpec, Identity, NetworkSpec
from deepfake_export.configuration import ServingOptions
from deepfake_export.examples import face_sides
from deepfake_export.graphs import pictures
from deepfake_export.parity import Parity, Row, measure
from deepfake_export.reference import evidence_and_hidden
from deepfake_export.repository import write_repository
from deepfake_export.rounding import measure_rounding, probability_recheck
from deepfake_networks.bundle import Bundle
from deepfake_networks.network import HybridNetwork
from deepfake_networks.profiles import LITE_POLICY
from deepfake_networks.writing import write_bundle
from families import FAMILIES, random_estimators, stacking_of
from onnx import numpy_helper

ORIGINAL = NetworkSpec("efficientnet", "efficientnet_b4", "model_efficientnet_best.pth", fft=FFTSpec())
SHARPENED = 4.0  # attention that picks one of two near equals jumps where rounding swaps them
QUIET = 1e-3  # margins so small that probabilities say nothing of what happens inside


@pytest.fixture(scope="module")
def chaotic(tmp_path_factory) -> Bundle:
    """The original's EfficientNet drawn at full strength, its norms' statistics from pictures; a Swin that jumps."""
    networks = []
    with pytest.MonkeyPatch.context() as patch, torch.no_grad():
        patch.setattr(base_bundle, "_calm", lambda block: None)
        for spec in (ORIGINAL, *FAMILIES[1:]):
            torch.manual_seed(0)
            networks.append(HybridNetwork(spec))
            base_bundle._draw(networks[-1])
        take_statistics(networks[0])
        for block in networks[2].modules():
            if hasattr(block, "qkv"):
                block.qkv.weight.mul_(SHARPENED)
        networks[2].classifier[4].weight.mul_(QUIET)
    folder = tmp_path_factory.mktemp("chaotic")
    write_bundle(folder, Identity("chaotic", "1.0.0"), networks, stacking_of(random_estimators(3)), LITE_POLICY)
    return Bundle.load(folder)


def take_statistics(network: HybridNetwork) -> None:
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    network.backbone(torch.stack([base_bundle.preprocess(picture) for picture in base_bundle.pictures()]))
    network.eval()


@pytest.fixture(scope="module")
def written(chaotic, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("written") / "repository"
    folder.mkdir()
    write_repository(chaotic, folder, ServingOptions())
    return folder


@pytest.fixture(scope="module")
def swin(chaotic, tmp_path_factory) -> tuple[Bundle, Path]:
    """The Swin of these as a bundle of its own, and its repository: compared in a fraction of the time."""
    folder, repository = tmp_path_factory.mktemp("swin"), tmp_path_factory.mktemp("written")
    stacking = stacking_of(random_estimators(1))
    write_bundle(folder, Identity("swin", "1.0.0"), [chaotic.networks["swin"]], stacking, LITE_POLICY)
    write_repository(Bundle.load(folder), repository, ServingOptions())
    return Bundle.load(folder), repository


@pytest.fixture(scope="module")
def compared(chaotic, written, crops) -> Parity:
    return measure(chaotic, written, crops, 8)


def row(found: Parity, model: str, output: str) -> Row:
    return next(each for each in found.rows if (each.model, each.output) == (model, output))


def test_networks_that_rounding_decides_are_not_refused(compared):
    assert compared.passed, str(compared)


def test_the_maps_left_out_are_counted_a_row_and_the_report_says_why(compared):
    swin, shared = row(compared, "swin", "EVIDENCE"), row(compared, "deepfake_ensemble", "HEATMAP")
    assert 2 <= swin.left_out < 8 and shared.left_out >= swin.left_out
    assert 1 <= row(compared, "efficientnet", "EVIDENCE").left_out < 4
    assert row(compared, "convnext", "EVIDENCE").left_out == 0
    assert f"  left out: {swin.left_out}" in str(compared)
    assert compared.undecided == shared.left_out
    assert "PyTorch in float32 and in float64 disagree" in str(compared).splitlines()[-1]


def test_the_probabilities_alone_would_not_have_refused_them(compared):
    assert row(compared, "swin", "PROBABILITY").difference < 1e-4


def test_without_a_second_look_they_are_refused(swin, crops, monkeypatch):
    monkeypatch.setattr("deepfake_export.rounding.REACH", -1.0)
    monkeypatch.setattr("deepfake_export.rounding.KINK_REACH", -1.0)
    assert not row(measure(*swin, crops, 8), "swin", "EVIDENCE").passed


def test_float64_and_float32_disagree_where_a_map_is_left_out(chaotic, crops):
    """Without the project's measure of it: plain PyTorch, twice."""
    network = chaotic.networks["swin"]
    images = pictures(torch.from_numpy(crops))
    single = evidence_and_hidden(network, images)[0].double().numpy()
    found = measure_rounding(network, crops, face_sides(len(crops)))
    apart = np.abs(single - found.maps).max(axis=(1, 2)) > 1e-2 * np.abs(found.maps).max()
    assert apart.any() and found.map_noise[apart].min() > 1e-3 * np.abs(found.maps).max()


def scaled(repository: Path, model: str, name: str, factor: float) -> None:
    path = repository / model / "1" / "model.onnx"
    graph = onnx.load(path)
    initialiser = next(each for each in graph.graph.initializer if each.name == name)
    initialiser.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(initialiser) * np.float32(factor), name))
    onnx.save(graph, path)


def large_weight(repository: Path, model: str, at: int) -> str:
    """The `at`-th of the graph's weights with more than one axis, in the order it holds them."""
    graph = onnx.load(repository / model / "1" / "model.onnx").graph
    return [each.name for each in graph.initializer if len(each.dims) > 1 and np.prod(each.dims) > 1000][at]


@pytest.mark.parametrize(("model", "at"), [("swin", 0), ("swin", -1), ("efficientnet", 20)])
def test_a_weight_scaled_by_a_twentieth_is_refused_in_a_chaotic_network(
    chaotic, written, swin, crops, tmp_path, model, at
):
    bundle, repository = swin if model == "swin" else (chaotic, written)
    broken = Path(shutil.copytree(repository, tmp_path / "broken"))
    scaled(broken, model, large_weight(broken, model, at), 1.05)
    found = measure(bundle, broken, crops, 8)
    assert not row(found, model, "EVIDENCE").passed, str(found)


def test_a_calm_network_has_nothing_left_out(exported):
    _, found = exported
    assert {each.left_out for each in found.rows} == {0}


def test_a_probability_that_rounding_decides_is_excused_and_one_that_it_does_not_is_not(chaotic, crops):
    network = chaotic.networks["swin"]
    sides = face_sides(len(crops))
    found = measure_rounding(network, crops, sides)
    calm, wild = int(found.margin_noise.argmin()), int(found.margin_noise.argmax())
    at = [calm, wild]
    margins = found.margins[at] + found.margin_noise[wild] * np.array([2.0, 2.0])
    right, excused = probability_recheck(network)(crops[at], sides[at], 1 / (1 + np.exp(-margins))[:, None])
    assert excused.tolist() == [False, True]
    assert np.allclose(right[:, 0], 1 / (1 + np.exp(-found.margins[at])), atol=1e-9)


def test_a_network_that_answers_no_numbers_is_refused(bundle, exported_repository, crops):
    last = bundle.networks["convnext"].classifier[4].bias
    kept = last.detach().clone()
    with torch.no_grad():
        last[0] = torch.nan
    try:
        found = measure(bundle, exported_repository, crops[:2], 8)
    finally:
        with torch.no_grad():
            last.copy_(kept)
    assert not row(found, "convnext", "PROBABILITY").passed
