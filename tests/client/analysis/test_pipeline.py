"""Whatever a bundle consists of, the analysis follows it."""

from dataclasses import replace

import numpy as np
import pytest
from deepfake_client.analysis.pipeline import analysis
from deepfake_client.analysis.served_bundle import ServedBundle
from deepfake_client.analysis.triton import Answers, Candidates
from deepfake_client.settings import ClientSettings
from deepfake_contract.description import NetworkSpec
from deepfake_contract.policy import CertaintyRules
from deepfake_contract.stacking import Stacking
from PIL import Image

BOX = (100.0, 80.0, 60.0, 90.0)


class Recorder:
    """Stands for a Triton whose picture has one face; keeps what it was asked."""

    def __init__(self, bundle: ServedBundle):
        self._bundle = bundle
        self.crops: list[tuple[int, ...]] = []
        self.face_sides: list[np.ndarray | None] = []

    def bundle(self) -> ServedBundle:
        return self._bundle

    def face_candidates(self, picture: np.ndarray) -> Candidates:
        return Candidates(np.array([BOX], np.float32), np.array([0.99]), np.zeros((1, 5, 2)))

    def ask_networks(self, crops, heatmaps=False, face_sides=None) -> Answers:
        self.crops.append(crops.shape)
        self.face_sides.append(face_sides)
        networks = len(self._bundle.description.names)
        return Answers(np.full(len(crops), 0.75), np.full((len(crops), networks), 0.75), None)

    def close(self) -> None:
        pass


@pytest.fixture
def picture(tmp_path):
    Image.new("RGB", (400, 300), "grey").save(tmp_path / "picture.png")
    return tmp_path / "picture.png"


@pytest.fixture
def analyse(picture):
    def run(bundle: ServedBundle):
        recorder = Recorder(bundle)
        *_, result = analysis(picture, recorder, ClientSettings(), None, False)
        return result, recorder

    return run


def networks_of(bundle: ServedBundle, *networks: NetworkSpec, **policy) -> ServedBundle:
    """The same with other networks, and other values in its policy."""
    count = len(networks)
    stacking = Stacking((0.5,) * count, (0.25,) * count, (1.0,) * count, 0.0)
    described = bundle.description
    changes = {"networks": networks, "stacking": stacking, "policy": replace(described.policy, **policy)}
    return replace(bundle, description=replace(described, **changes))


@pytest.mark.parametrize("count", [1, 2, 4, 8])
def test_any_number_of_networks_is_answered_by_name(analyse, bundle, count):
    names = [f"network_{at}" for at in range(count)]
    specs = [NetworkSpec(name, "resnet18", f"{name}.pth", f"Network {name[-1]}") for name in names]
    result, _ = analyse(networks_of(bundle, *specs))
    assert list(result.networks) == list(result.frames[0].faces[0].networks) == names
    assert list(result.contributions) == [*names, "intercept"]
    assert list(result.model.titles) == names and result.model.titles[names[-1]] == f"Network {count - 1}"


@pytest.mark.parametrize("side", [112, 224, 448])
def test_crops_have_the_bundles_side(analyse, bundle, side):
    _, recorder = analyse(networks_of(bundle, *bundle.description.networks, crop_side=side))
    assert recorder.crops == [(1, side, side, 3)]


@pytest.mark.parametrize(("crop", "side"), [("face", 90.0), ("frame", 400.0)])
def test_a_network_that_asks_for_it_is_told_the_faces_side_in_the_source(analyse, bundle, crop, side):
    first, second = bundle.description.networks
    _, recorder = analyse(networks_of(bundle, first, replace(second, face_side=True), crop=crop))
    (sides,) = recorder.face_sides
    assert (sides.dtype, sides.shape) == (np.float32, (1, 1)) and sides[0, 0] == pytest.approx(side)


def test_no_side_is_sent_where_no_network_asks_for_it(analyse, bundle):
    assert analyse(bundle)[1].face_sides == [None]


def test_the_method_says_which_rules_the_bundle_lacks(analyse, bundle):
    bare = networks_of(bundle, *bundle.description.networks, certainty=CertaintyRules(network_spread=0.5))
    assert analyse(bare)[0].method["certainty"] == (
        "no rule measured for few frames with a face, small faces, strong compression"
    )
    assert "certainty" not in analyse(bundle)[0].method
