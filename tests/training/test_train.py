"""A training run, small but whole."""

import numpy as np
import pytest
import torch
from deepfake_detector.bundle import Bundle
from deepfake_detector.network import HybridNetwork
from deepfake_detector.profiles import LITE
from deepfake_training.data import read_manifest
from deepfake_training.faces import cut_faces
from deepfake_training.member import probabilities, schedule, train_member
from deepfake_training.pretrained import load_efficientnet_lite0
from deepfake_training.recipes import FACE_MARGIN, Recipe
from deepfake_training.train import train

SECOND = 1 / 60  # of processor time, in minutes


def test_the_loss_goes_down(manifest, whole_picture, tmp_path):
    shown, crops = cut_faces(read_manifest(manifest, "train"), whole_picture, FACE_MARGIN, tmp_path / "work")
    fake = np.array([sample.fake for sample in shown])

    def loss(network: HybridNetwork) -> float:
        answer = probabilities(network, crops)
        return -float(np.log(np.where(fake, answer, 1 - answer)).mean())

    torch.manual_seed(0)
    network = HybridNetwork(LITE[0])
    load_efficientnet_lite0(network.backbone)
    before = loss(network)
    recipe = Recipe(10 * SECOND, learning_rate=1e-3, weight_decay=0.02, pairs=4, sides=((0.0, 160),))
    trained = train_member(network, shown, crops, recipe, tmp_path / "member.pt", seed=0)
    assert loss(trained) < before - 0.1


def test_a_run_makes_a_bundle_that_loads(manifest, whole_picture, tmp_path):
    """The manifest's val rows name pictures that do not exist, so a run that opened one would fail."""
    recipes = {
        spec.role: Recipe(2 * SECOND, 1e-3, 0.02, pairs=2, sides=((0.0, side),), distil=distil)
        for spec, side, distil in zip(LITE, (64, 64, 224), (False, True, True), strict=True)
    }
    train(manifest, tmp_path / "bundle", tmp_path / "work", whole_picture, recipes, seed=0)
    bundle = Bundle.load(tmp_path / "bundle")
    assert bundle.title.name == "lite"
    assert bundle.policy.face_margin == FACE_MARGIN
    assert bundle.policy.false_positive_rate is not None
    assert [network.spec for network in bundle.networks.values()] == list(LITE)


def test_a_run_that_was_stopped_goes_on(manifest, whole_picture, tmp_path):
    shown, crops = cut_faces(read_manifest(manifest, "train"), whole_picture, FACE_MARGIN, tmp_path / "work")
    checkpoint = tmp_path / "member.pt"

    def run(seconds: float) -> dict:
        recipe = Recipe(seconds * SECOND, 1e-3, 0.02, pairs=2, sides=((0.0, 64),))
        train_member(HybridNetwork(LITE[0]), shown, crops, recipe, checkpoint, seed=0)
        return torch.load(checkpoint, weights_only=True)

    first = run(1)
    second = run(2)
    assert second["step"] > first["step"]
    assert second["spent"] == pytest.approx(2, abs=1)
    done = run(2)
    assert done["step"] == second["step"]
    assert all(torch.equal(value, second["average"][name]) for name, value in done["average"].items())


def test_the_pretrained_weights_fit_their_places():
    """Weights, not initial values: batch norms of a trained network have statistics."""
    network = HybridNetwork(LITE[0])
    load_efficientnet_lite0(network.backbone)
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert norms and all((norm.running_var != 1).any() for norm in norms)


def test_the_learning_rate_rises_then_falls_to_nothing():
    rates = [schedule(done / 1000) for done in range(1001)]
    peak = int(np.argmax(rates))
    assert rates[peak] == pytest.approx(1, abs=0.01)
    assert peak < 100
    assert np.all(np.diff(rates[peak:]) <= 0) and rates[-1] == pytest.approx(0)
