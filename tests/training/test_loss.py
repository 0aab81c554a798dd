"""What is asked of a network about where a picture was manipulated."""

import numpy as np
import pytest
import torch
from deepfake_networks.network import HybridNetwork, NetworkSpec
from deepfake_networks.profiles import LITE
from deepfake_training.loss import member_loss, place_loss

CELLS = (1, 7, 7)


def pair() -> torch.Tensor:
    """A grey real, and its fake with the upper left cell changed."""
    real = torch.full((1, 3, 224, 224), 0.5)
    fake = real.clone()
    fake[:, :, :32, :32] = 0.9
    return torch.cat([real, fake])


def answer(real: float, fake: float, cell: float) -> torch.Tensor:
    """Logits of every cell of the real, of the fake, and of the fake's changed cell."""
    found = torch.stack([torch.full(CELLS, float(real)), torch.full(CELLS, float(fake))])
    found[1, 0, 0, 0] = cell
    return found


def test_the_changed_cell_is_what_is_wanted():
    right = place_loss(answer(-9, -9, 9), pair(), torch.tensor([True]))
    assert right < 0.001
    assert place_loss(answer(-9, -9, -9), pair(), torch.tensor([True])) > 0.05
    assert place_loss(answer(-9, 9, 9), pair(), torch.tensor([True])) > 1
    assert place_loss(answer(9, -9, 9), pair(), torch.tensor([True])) > 1


def test_nothing_is_asked_of_a_fake_that_is_not_aligned():
    losses = [place_loss(answer(-9, value, -value), pair(), torch.tensor([False])) for value in (-9, 9)]
    assert losses[0] == losses[1] < 0.001


def test_an_unchanged_fake_has_no_manipulated_cell():
    same = torch.full((2, 3, 224, 224), 0.5)
    assert place_loss(answer(-9, -9, -9), same, torch.tensor([True])) < 0.001


LITE2 = NetworkSpec("lite2", "tf_efficientnet_lite2", "model_lite2_best.pth", fft=None)
VIT = NetworkSpec(
    "dinov2",
    "vit_small_patch14_dinov2",
    "model_dinov2_best.pth",
    arguments={"img_size": 224, "fc_norm": False, "depth": 2},
    fft=None,
)


def trained_by(spec: NetworkSpec, side: int) -> tuple[HybridNetwork, torch.nn.Conv2d, torch.Tensor]:
    """A fresh network and its reader of places after the gradient of one batch, and the loss."""
    torch.manual_seed(0)
    network = HybridNetwork(spec)
    place = torch.nn.Conv2d(network.backbone.num_features, 1, 1)
    aligned = np.array([True])
    loss = member_loss(network, network.backbone.forward_features, place, pair(), aligned, side)
    loss.backward()
    return network, place, loss


@pytest.mark.parametrize(("spec", "side"), [(VIT, 224), (LITE2, 256), (LITE[0], 160)], ids=["vit", "lite2", "lite0"])
def test_every_kind_of_network_learns_whether_and_where(spec, side):
    network, place, loss = trained_by(spec, side)
    assert loss.isfinite()
    assert place.weight.grad.abs().max() > 0
    missing = [name for name, value in network.named_parameters() if value.grad is None]
    assert not missing
    assert network.classifier[4].weight.grad.abs().max() > 0


def test_patches_are_asked_for_places_on_their_own_grid():
    """A manipulated square of 14 pixels is one of 16×16 patches, and most of a cell of 7×7 is not."""
    torch.manual_seed(0)
    network = HybridNetwork(VIT).eval()
    seen = []

    class Place(torch.nn.Module):
        def forward(self, maps: torch.Tensor) -> torch.Tensor:
            seen.append(maps.shape)
            found = torch.full((2, 1, 16, 16), -9.0)
            found[1, 0, 3, 5] = 9
            return found

    pictures = torch.full((2, 3, 224, 224), 0.5)
    pictures[1, :, 42:56, 70:84] = 0.9
    with torch.no_grad():
        both = member_loss(network, network.backbone.forward_features, Place(), pictures, np.array([True]), 224)
        whether = torch.nn.functional.cross_entropy(network(pictures), torch.tensor([0, 1]), label_smoothing=0.05)
    assert seen == [(2, 384, 16, 16)]
    assert (both - whether).item() == pytest.approx(0, abs=1e-3)


def test_what_is_aligned_may_lie_on_the_device_already():
    torch.manual_seed(0)
    network = HybridNetwork(VIT).eval()
    place = torch.nn.Conv2d(384, 1, 1)
    with torch.no_grad():
        losses = [
            member_loss(network, network.backbone.forward_features, place, pair(), aligned, 224)
            for aligned in (np.array([True]), torch.tensor([True]))
        ]
    assert torch.equal(*losses)
