"""The evidence map is exact: it adds up, and equals what autograd finds."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from deepfake_networks.evidence import explain
from deepfake_networks.network import HybridNetwork
from families import FOUR, random_networks
from PIL import Image

SIDES = torch.tensor([80.0, 30.0])  # of the faces, pixels


def test_a_network_told_how_large_the_face_was_answers_by_it(pictures):
    network = random_networks(FOUR[3:])[0]
    with torch.no_grad():
        assert not torch.allclose(network(pictures, SIDES), network(pictures, 10 * SIDES))
        with pytest.raises(ValueError, match="transformer needs the faces' sides"):
            network(pictures)


@pytest.fixture(scope="module", params=FOUR, ids=lambda spec: spec.name)
def network(request) -> HybridNetwork:
    """One of each family, drawn so that signals pass: fresh weights let ConvNeXt's blocks do nothing."""
    return random_networks([request.param])[0]


@pytest.fixture(scope="module")
def pictures(astronaut, admiral) -> torch.Tensor:
    parts = [astronaut[20:220, 110:330], admiral[60:300, 140:380]]
    resized = np.stack([np.asarray(Image.fromarray(part).resize((224, 224))) for part in parts])
    return torch.from_numpy(resized).permute(0, 3, 1, 2) / 255


@pytest.fixture(scope="module")
def explanation(network, pictures):
    with torch.no_grad():
        return explain(network, pictures, network.other_features(pictures, SIDES))


def test_the_logits_are_the_networks_own(network, pictures, explanation):
    with torch.no_grad():
        assert torch.allclose(explanation.logits, network(pictures, SIDES), atol=1e-5)


def test_cells_spectrum_and_rest_add_up_to_the_margin(explanation):
    margin = explanation.logits[:, 1] - explanation.logits[:, 0]
    total = explanation.evidence.sum(dim=(1, 2)) + explanation.other_part + explanation.rest
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
        maps = [
            explain(network, each, network.other_features(blank, SIDES[:1])).evidence[0] for each in (corner, blank)
        ]
    row, column = divmod(int((maps[0] - maps[1]).abs().argmax()), 7)
    assert row <= 3 <= column
    assert row < column


def test_a_network_with_another_normalisation_sees_another_picture(pictures):
    torch.manual_seed(0)
    spec = FOUR[1]
    other = replace(spec, mean=(0.5, 0.5, 0.5))
    network, shifted = HybridNetwork(spec).eval(), HybridNetwork(other).eval()
    assert not torch.allclose(network.normalise(pictures), shifted.normalise(pictures))
    shifted.load_state_dict(network.state_dict())
    assert torch.equal(network.fft_features(pictures), shifted.fft_features(pictures))
