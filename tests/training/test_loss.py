"""What is asked of a network about where a picture was manipulated."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from deepfake_contract.description import NetworkSpec
from deepfake_networks.network import HybridNetwork
from deepfake_networks.profiles import LITE
from deepfake_training.loss import Objective, localisation_loss
from deepfake_training.machine import Machine
from deepfake_training.probabilities import probabilities

CELLS = (1, 7, 7)


def pair() -> torch.Tensor:
    """A grey real, and its fake with the upper left cell changed."""
    real = torch.full((1, 3, 224, 224), 0.5)
    fake = real.clone()
    fake[:, :, :32, :32] = 0.9
    return torch.cat([real, fake])


def answer(real: float, fake: float, cell: float) -> torch.Tensor:
    """Logits of every cell of the real, of the fake, and of the fake's changed cell."""
    predicted = torch.stack([torch.full(CELLS, float(real)), torch.full(CELLS, float(fake))])
    predicted[1, 0, 0, 0] = cell
    return predicted


def test_the_changed_cell_is_what_is_wanted():
    right = localisation_loss(answer(-9, -9, 9), pair(), torch.tensor([True]))
    assert right < 0.001
    assert localisation_loss(answer(-9, -9, -9), pair(), torch.tensor([True])) > 0.05
    assert localisation_loss(answer(-9, 9, 9), pair(), torch.tensor([True])) > 1
    assert localisation_loss(answer(9, -9, 9), pair(), torch.tensor([True])) > 1


def test_nothing_is_asked_of_a_fake_that_is_not_aligned():
    losses = [localisation_loss(answer(-9, value, -value), pair(), torch.tensor([False])) for value in (-9, 9)]
    assert losses[0] == losses[1] < 0.001


def test_an_unchanged_fake_has_no_manipulated_cell():
    same = torch.full((2, 3, 224, 224), 0.5)
    assert localisation_loss(answer(-9, -9, -9), same, torch.tensor([True])) < 0.001


LITE2 = NetworkSpec("lite2", "tf_efficientnet_lite2", "lite2.pth", fft=None)
VIT = NetworkSpec(
    "dinov2",
    "vit_small_patch14_dinov2",
    "dinov2.pth",
    arguments={"img_size": 224, "fc_norm": False, "depth": 2},
    fft=None,
)


SEES_SIDE = replace(LITE[0], name="told", fft=None, face_side=True)
SIDES = torch.tensor([60.0, 200.0])


def trained_by(
    spec: NetworkSpec, side: int, weight: float = 0.5
) -> tuple[HybridNetwork, torch.nn.Conv2d, torch.Tensor]:
    """A fresh network and its localiser after the gradient of one batch, and the loss."""
    torch.manual_seed(0)
    network = HybridNetwork(spec)
    localiser = torch.nn.Conv2d(network.backbone.num_features, 1, 1)
    objective = Objective(network, network.backbone.forward_features, localiser, weight)
    loss = objective.loss(pair(), SIDES, torch.tensor([True]), side)
    loss.backward()
    return network, localiser, loss


@pytest.mark.parametrize(
    ("spec", "side"),
    [(VIT, 224), (LITE2, 256), (LITE[0], 160), (SEES_SIDE, 64)],
    ids=["vit", "lite2", "lite0", "told the face's side"],
)
def test_every_kind_of_network_learns_whether_and_where(spec, side):
    network, localiser, loss = trained_by(spec, side)
    assert loss.isfinite()
    assert localiser.weight.grad.abs().max() > 0
    missing = [name for name, value in network.named_parameters() if value.grad is None]
    assert not missing
    assert network.classifier[4].weight.grad.abs().max() > 0


def test_without_weight_nothing_is_asked_about_where():
    network, localiser, loss = trained_by(replace(LITE[0], fft=None), 64, weight=0.0)
    assert localiser.weight.grad is None
    assert loss < trained_by(network.spec, 64)[2]


def test_patches_are_asked_for_places_on_their_own_grid():
    """A manipulated square of 14 pixels is one of 16×16 patches, and most of a cell of 7×7 is not."""
    torch.manual_seed(0)
    network = HybridNetwork(VIT).eval()
    seen = []

    class Localiser(torch.nn.Module):
        def forward(self, maps: torch.Tensor) -> torch.Tensor:
            seen.append(maps.shape)
            predicted = torch.full((2, 1, 16, 16), -9.0)
            predicted[1, 0, 3, 5] = 9
            return predicted

    pictures = torch.full((2, 3, 224, 224), 0.5)
    pictures[1, :, 42:56, 70:84] = 0.9
    objective = Objective(network, network.backbone.forward_features, Localiser(), 0.5)
    with torch.no_grad():
        both = objective.loss(pictures, SIDES, torch.tensor([True]), 224)
        whether = torch.nn.functional.cross_entropy(network(pictures), torch.tensor([0, 1]), label_smoothing=0.05)
    assert seen == [(2, 384, 16, 16)]
    assert (both - whether).item() == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("spec", [VIT, LITE[0]], ids=["vit", "lite0"])
def test_in_bfloat16_as_on_a_gpu_loss_and_probabilities_stay_near(spec, monkeypatch):
    """Step and scoring both run under the machine's autocast, here that of a CPU."""
    exact = trained_by(spec, 224)[2].item()
    torch.manual_seed(0)
    network = HybridNetwork(spec)
    pictures = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), np.uint8)
    expected = probabilities(network, pictures)
    monkeypatch.setattr(Machine, "autocast", lambda machine: torch.autocast("cpu", torch.bfloat16))
    with Machine(torch.device("cpu"), 1).autocast():
        assert trained_by(spec, 224)[2].item() == pytest.approx(exact, abs=0.1)
    rounded = probabilities(network, pictures)
    assert 0 < np.abs(rounded - expected).max() < 0.02 and rounded.dtype == np.float64
