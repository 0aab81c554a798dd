"""Small networks of several families, and bundles of them with random weights: of one network up to eight."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from deepfake_contract.description import Identity, NetworkSpec
from deepfake_contract.policy import Policy
from deepfake_contract.stacking import Stacking
from deepfake_networks.network import HybridNetwork
from deepfake_networks.profiles import LITE, LITE_FFT, LITE_POLICY
from deepfake_networks.writing import write_bundle
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

FAMILIES = (
    replace(LITE[0], name="efficientnet", title="EfficientNet-Lite0", weights="efficientnet.pth"),
    NetworkSpec("convnext", "convnext_atto", "convnext.pth", fft=LITE_FFT),
    NetworkSpec(
        "swin",
        "swin_tiny_patch4_window7_224",
        "swin.pth",
        arguments={"embed_dim": 32, "depths": [2, 2, 6, 2], "num_heads": [1, 2, 4, 8]},
        fft=LITE_FFT,
    ),
)
# Tokens instead of maps, no spectrum, weights as safetensors, and told how large the face was.
TRANSFORMER = NetworkSpec(
    "transformer",
    "vit_tiny_patch16_224",
    "transformer.safetensors",
    "A vision transformer",
    arguments={"depth": 2, "fc_norm": False},
    face_side=True,
)
FOUR = (*FAMILIES, TRANSFORMER)
TWO = (replace(FAMILIES[0], name="picture_only", weights="picture_only.pth", fft=None), FAMILIES[1])


def random_networks(specs: Sequence[NetworkSpec]) -> list[HybridNetwork]:
    """In evaluation mode, drawn so that signals pass through every block."""
    torch.manual_seed(0)
    networks = [HybridNetwork(spec).eval() for spec in specs]
    for network in networks:
        for name, value in network.named_parameters():
            if value.ndim > 1:
                torch.nn.init.normal_(value, std=(1.5 / value[0].numel()) ** 0.5)
            elif name.endswith("gamma"):
                torch.nn.init.normal_(value, mean=0.3, std=0.1)
    return networks


def random_estimators(networks: int) -> Pipeline:
    """A scaler and a logistic regression, fitted on random scores of as many networks."""
    scores = np.random.default_rng(0).random((100, networks))
    slopes = np.arange(networks, 0, -1)
    fakes = (scores @ slopes > slopes.sum() / 2).astype(int)
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(scores, fakes)


def stacking_of(estimators: Pipeline) -> Stacking:
    scaler, regression = estimators[0], estimators[1]
    numbers = (scaler.mean_, scaler.scale_, regression.coef_[0])
    mean, scale, coefficients = (tuple(each.tolist()) for each in numbers)
    return Stacking(mean, scale, coefficients, float(regression.intercept_[0]))


def write_random_bundle(
    folder: Path, identity: Identity, specs: Sequence[NetworkSpec] = FAMILIES, policy: Policy = LITE_POLICY
) -> Path:
    """Stored as float16, as the shipped one. The folder."""
    stacking = stacking_of(random_estimators(len(specs)))
    write_bundle(folder, identity, random_networks(specs), stacking, policy, half=True)
    return folder
