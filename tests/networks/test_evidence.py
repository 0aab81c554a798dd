"""The evidence map is exact: it adds up, and equals what autograd finds."""

import numpy as np
import pytest
import torch
from deepfake_networks.evidence import explain
from deepfake_networks.network import HybridNetwork, NetworkSpec
from deepfake_networks.profiles import ROLES
from families import FAMILIES
from PIL import Image


@pytest.fixture(scope="module", params=ROLES)
def network(request) -> HybridNetwork:
    """One of each family, drawn so that signals pass: fresh weights let ConvNeXt's blocks do nothing."""
    torch.manual_seed(1)
    network = HybridNetwork(next(spec for spec in FAMILIES if spec.role == request.param)).eval()
    for name, value in network.named_parameters():
        if value.ndim > 1:
            torch.nn.init.normal_(value, std=(1.5 / value[0].numel()) ** 0.5)
        elif name.endswith("gamma"):
            torch.nn.init.normal_(value, mean=0.3, std=0.1)
    return network


@pytest.fixture(scope="module")
def pictures(astronaut, admiral) -> torch.Tensor:
    parts = [astronaut[20:220, 110:330], admiral[60:300, 140:380]]
    resized = np.stack([np.asarray(Image.fromarray(part).resize((224, 224))) for part in parts])
    return torch.from_numpy(resized).permute(0, 3, 1, 2) / 255


@pytest.fixture(scope="module")
def explanation(network, pictures):
    with torch.no_grad():
        return explain(network, pictures, network.fft_features(pictures))


def test_the_logits_are_the_networks_own(network, pictures, explanation):
    with torch.no_grad():
        assert torch.allclose(explanation.logits, network(pictures), atol=1e-5)


def test_cells_spectrum_and_rest_add_up_to_the_margin(explanation):
    margin = explanation.logits[:, 1] - explanation.logits[:, 0]
    total = explanation.evidence.sum(dim=(1, 2)) + explanation.fft_part + explanation.rest
    assert torch.allclose(total, margin, atol=2e-5)


def test_the_map_is_neither_zero_nor_flat(explanation):
    assert explanation.evidence.shape == (2, 7, 7)
    assert (explanation.evidence.abs().amax(dim=(1, 2)) > 1e-3).all()
    assert (explanation.evidence.std(dim=(1, 2)) > 1e-4).all()


def test_evidence_lies_where_the_picture_is(network):
    """Only the upper right corner shows anything: there the map differs most from that of nothing."""
    blank = torch.full((1, 3, 224, 224), 0.5)
    corner = blank.clone()
    corner[:, :, :96, -96:] = torch.rand(3, 96, 96, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        maps = [explain(network, each, network.fft_features(blank)).evidence[0] for each in (corner, blank)]
    row, column = divmod(int((maps[0] - maps[1]).abs().argmax()), 7)
    assert row <= 3 <= column
    assert row < column


def test_a_network_with_another_normalisation_sees_another_picture(pictures):
    torch.manual_seed(0)
    spec = FAMILIES[1]
    other = NetworkSpec(spec.role, spec.architecture, spec.weights, mean=(0.5, 0.5, 0.5), fft=spec.fft)
    network, shifted = HybridNetwork(spec).eval(), HybridNetwork(other).eval()
    assert not torch.allclose(network.normalise(pictures), shifted.normalise(pictures))
    shifted.load_state_dict(network.state_dict())
    assert torch.equal(network.fft_features(pictures), shifted.fft_features(pictures))
