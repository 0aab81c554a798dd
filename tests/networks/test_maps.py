"""Evidence on other grids than 7×7: found on the backbone's own, shown on 7×7, and still adding up."""

import pytest
import torch
from deepfake_contract.description import FFTSpec, NetworkSpec
from deepfake_networks.evidence import explain
from deepfake_networks.maps import as_maps, feature_map, share_out
from deepfake_networks.network import HybridNetwork

VIT = NetworkSpec(
    "dinov2",
    "vit_small_patch14_dinov2",
    "model_dinov2_best.pth",
    arguments={"img_size": 224, "fc_norm": False},
)
LITE2 = NetworkSpec("lite2", "tf_efficientnet_lite2", "model_lite2_best.pth", fft=FFTSpec(56, (16, 32), 64))
GRIDS = {VIT.name: (224, 16), LITE2.name: (256, 8)}  # pixels a side, cells a side


@pytest.fixture(scope="module", params=[VIT, LITE2], ids=lambda spec: spec.name)
def network(request) -> HybridNetwork:
    """Drawn so that signals pass: fresh weights let a transformer's blocks do nothing."""
    torch.manual_seed(1)
    network = HybridNetwork(request.param).eval()
    for name, value in network.named_parameters():
        if value.ndim > 1:
            torch.nn.init.normal_(value, std=(1.5 / value[0].numel()) ** 0.5)
        elif name.endswith("gamma"):
            torch.nn.init.normal_(value, mean=0.3, std=0.1)
    return network.double()


@pytest.fixture(scope="module")
def pictures(network, astronaut) -> torch.Tensor:
    side = GRIDS[network.spec.name][0]
    parts = [astronaut[:side, 100 : 100 + side], astronaut[200 : 200 + side, 20 : 20 + side]]
    return torch.stack([torch.from_numpy(part.copy()) for part in parts]).permute(0, 3, 1, 2).double() / 255


@pytest.fixture(scope="module")
def explanation(network, pictures):
    with torch.no_grad():
        return explain(network, pictures, network.fft_features(pictures))


def test_the_maps_have_the_backbones_own_grid(network, pictures):
    cells = GRIDS[network.spec.name][1]
    with torch.no_grad():
        maps = feature_map(network.backbone, network.normalise(pictures))
    assert maps.shape == (2, network.backbone.num_features, cells, cells)


def test_the_classifier_reads_the_mean_of_the_maps(network, pictures):
    with torch.no_grad():
        maps = feature_map(network.backbone, network.normalise(pictures))
        assert torch.equal(network.backbone(network.normalise(pictures)), maps.mean(dim=(2, 3)))


def test_the_logits_are_the_networks_own(network, pictures, explanation):
    with torch.no_grad():
        assert torch.allclose(explanation.logits, network(pictures), atol=1e-9)


def test_cells_spectrum_and_rest_add_up_to_the_margin(explanation):
    margin = explanation.logits[:, 1] - explanation.logits[:, 0]
    total = explanation.evidence.sum(dim=(1, 2)) + explanation.other_part + explanation.rest
    assert torch.allclose(total, margin, atol=1e-9)


def test_the_map_is_autograds_shared_out_by_area(network, pictures, explanation):
    """Each cell cut into 7×7 equal pieces, and the pieces that lie in a shown cell summed."""
    cells = GRIDS[network.spec.name][1]
    with torch.no_grad():
        maps = feature_map(network.backbone, network.normalise(pictures))
        spectrum = network.fft_features(pictures)
    maps.requires_grad_()
    logits = network.classify(maps.mean(dim=(2, 3)), spectrum)
    gradient = torch.autograd.grad((logits[:, 1] - logits[:, 0]).sum(), maps)[0]
    pieces = (gradient * maps.detach()).sum(dim=1).repeat_interleave(7, dim=1).repeat_interleave(7, dim=2) / 49
    expected = pieces.unflatten(2, (7, cells)).unflatten(1, (7, cells)).sum(dim=(2, 4))
    assert torch.allclose(explanation.evidence, expected, atol=1e-9)
    assert (explanation.evidence.abs().amax(dim=(1, 2)) > 1e-3).all()


def test_a_network_without_a_spectrum_head_has_no_part_of_it():
    torch.manual_seed(0)
    network = HybridNetwork(VIT).eval()
    pictures = torch.rand(2, 3, 224, 224)
    with torch.no_grad():
        features = network.fft_features(pictures)
        assert features.shape == (2, 0)
        assert torch.equal(explain(network, pictures, features).other_part, torch.zeros(2))
    assert not [key for key in network.state_dict() if key.startswith("fft")]


def test_patches_lie_row_by_row_after_the_class_token():
    backbone = HybridNetwork(VIT).backbone
    tokens = torch.arange(257.0)[None, :, None].expand(1, 257, 384)
    maps = as_maps(backbone, tokens)
    assert maps[0, 0, 0].tolist() == list(range(1, 17))
    assert maps[0, 5, :, 0].tolist() == list(range(1, 257, 16))


def test_a_map_of_seven_cells_a_side_is_not_touched():
    evidence = torch.randn(2, 7, 7)
    assert share_out(evidence) is evidence


def test_a_cell_across_a_border_is_divided_in_proportion_to_area():
    evidence = torch.zeros(1, 8, 8)
    evidence[0, 0, 1] = 7  # from 1/8 to 2/8 of the width: 1/7 of it lies before the first border
    shown = share_out(evidence)
    assert shown[0, 0, :2].tolist() == pytest.approx([1, 6], abs=1e-6)
    assert shown.abs().sum().item() == pytest.approx(7, abs=1e-6)


@pytest.mark.parametrize("size", [(16, 16), (8, 8), (5, 5), (10, 7), (1, 1)])
def test_sharing_out_keeps_the_sum(size):
    evidence = torch.randn(3, *size, generator=torch.Generator().manual_seed(0))
    shown = share_out(evidence)
    assert shown.shape == (3, 7, 7)
    assert torch.allclose(shown.sum(dim=(1, 2)), evidence.sum(dim=(1, 2)), atol=1e-5)
    assert torch.allclose(share_out(torch.ones(1, *size)), torch.full((1, 7, 7), size[0] * size[1] / 49), atol=1e-6)
