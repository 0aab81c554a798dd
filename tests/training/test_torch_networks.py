"""A bundle's networks in PyTorch, as the client's pipeline asks them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from deepfake_contract.description import Identity
from deepfake_contract.errors import BundleError
from deepfake_networks.bundle import Bundle
from deepfake_training.torch_networks import TorchNetworks
from families import FOUR, write_random_bundle


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_bundle(tmp_path_factory.mktemp("four"), Identity("four", "1"), FOUR)


def ask(folder: Path, side: float) -> tuple[np.ndarray, np.ndarray]:
    """Its answers for two crops of faces with that side in the source."""
    crops = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), np.uint8)
    answers = TorchNetworks(folder, no_triton).ask_networks(crops, face_sides=np.full((2, 1), side, np.float32))
    return answers.probability, answers.networks


def no_triton():
    raise AssertionError("networks were asked of a Triton")


def test_each_network_of_four_answers_and_the_stacking_joins_them(folder):
    probability, networks = ask(folder, 60.0)
    bundle = Bundle.load(folder)
    crops = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), np.uint8)
    pictures = torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        expected = [
            network(pictures, torch.tensor([60.0, 60.0])).softmax(1)[:, 1].numpy()
            for network in bundle.networks.values()
        ]
    assert np.allclose(networks, np.stack(expected, axis=1), atol=1e-5)
    for row, joint in zip(networks, probability, strict=True):
        named = dict(zip(bundle.description.names, row, strict=True))
        logit = sum(bundle.description.contributions(named).values())
        assert joint == pytest.approx(1 / (1 + np.exp(-logit)))


def test_only_the_network_that_wants_the_faces_side_minds_it(folder):
    small, large = ask(folder, 20.0)[1], ask(folder, 400.0)[1]
    assert (small != large).any(axis=0).tolist() == [spec.face_side for spec in FOUR]


def test_it_describes_itself_as_the_bundle_does(folder):
    assert TorchNetworks(folder, no_triton).bundle().description == Bundle.load(folder).description


def test_a_folder_without_a_bundle_is_told(tmp_path):
    with pytest.raises(BundleError, match="is missing"):
        TorchNetworks(tmp_path, no_triton)
