"""What the export compares with."""

import numpy as np
import pytest
import torch
from deepfake_export.examples import crops as parity_crops
from deepfake_export.graphs import pictures
from deepfake_export.parity import _row
from deepfake_export.rounding import measure_rounding


@pytest.fixture(scope="module")
def images(crops):
    return pictures(torch.from_numpy(crops[:2]))


@pytest.fixture
def network(bundle):
    """With the hidden layer's bias as it was again afterwards."""
    network = bundle.networks["convnext"]
    bias = network.classifier[1].bias
    kept = bias.detach().clone()
    yield network
    with torch.no_grad():
        bias.copy_(kept)


def test_a_picture_at_a_kink_of_the_network_has_two_maps(network, crops, images):
    with torch.no_grad():
        features = torch.cat([network.backbone(network.normalise(images)), network.fft_features(images)], dim=1)
        network.classifier[1].bias[5] -= network.classifier[1](features)[0, 5]
    assert measure_rounding(network, crops[:2], np.ones((2, 1), np.float32)).at_kink.tolist() == [True, False]


def test_maps_are_compared_where_the_reference_has_them():
    expected = np.ones((4, 7, 7), np.float32)
    expected[0] = np.nan
    value = np.ones_like(expected)
    value[0] = 5
    assert _row("swin", "EVIDENCE", value, expected).passed
    value[1, 0, 0] = 1.1
    assert not _row("swin", "EVIDENCE", value, expected).passed


def test_a_reference_with_few_maps_compares_nothing_and_fails():
    expected = np.full((4, 7, 7), np.nan, np.float32)
    assert not _row("swin", "EVIDENCE", expected, expected).passed


def test_a_probability_that_is_not_a_number_is_not_left_out():
    expected = np.full((4, 1), np.nan, np.float32)
    assert not _row("swin", "PROBABILITY", expected, expected).passed


def test_the_crops_are_always_the_same_and_all_different():
    crops = parity_crops()
    assert crops.shape == (32, 224, 224, 3)
    assert np.array_equal(crops, parity_crops())
    assert len({crop.tobytes() for crop in crops}) == 32
