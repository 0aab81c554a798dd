"""Networks to start from: with ImageNet weights, DINOv2's, or a bundle's."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from deepfake_contract.description import FFTSpec, NetworkSpec
from deepfake_contract.errors import UsageError
from deepfake_networks.bundle import Bundle
from deepfake_networks.network import HybridNetwork

from deepfake_training.starts import dinov2, efficientnet_lite


def starting_spec(name: str, architecture: str, fft: FFTSpec | None = None) -> NetworkSpec:
    """The description of a network that starts from a package's weights: normalised as these were trained."""
    weights = f"{name}.pth"
    if architecture == dinov2.ARCHITECTURE:
        return NetworkSpec(name, architecture, weights, arguments=dict(dinov2.ARGUMENTS), fft=fft)
    if efficientnet_lite.ARCHITECTURE.fullmatch(architecture):
        mean, std = efficientnet_lite.MEAN, efficientnet_lite.STD
        return NetworkSpec(name, architecture, weights, mean=mean, std=std, fft=fft)
    raise UsageError(
        f"No package carries weights for {architecture}: take EfficientNet-Lite0 to 2, or DINOv2 ViT-S/14."
    )


def pretrained_network(spec: NetworkSpec) -> HybridNetwork:
    """A new network whose backbone has learnt to see; what follows the backbone is drawn by torch's generator.

    The weights of EfficientNet-Lite0 to 2 and DINOv2 ViT-S/14 come out of installed packages. timm fetches all others;
    UsageError if it can't.
    """
    try:
        if efficientnet_lite.ARCHITECTURE.fullmatch(spec.architecture):
            network = HybridNetwork(spec)
            efficientnet_lite.load_efficientnet_lite(network.backbone, spec.architecture)
            return network
        if spec.architecture == dinov2.ARCHITECTURE:
            network = HybridNetwork(spec)
            dinov2.load_dinov2(network.backbone)
            return network
    except ImportError as cause:
        raise UsageError(
            f"The weights of {spec.architecture} come out of the package {cause.name}, which is not installed: "
            "`scripts/environments.py training` installs it. Elsewhere start from a network's files."
        ) from cause
    try:
        return HybridNetwork(spec, pretrained=True)
    except (OSError, RuntimeError) as cause:
        raise UsageError(
            f"timm could not fetch ImageNet weights for {spec.architecture} ({cause}). Give this machine a way to its "
            "model hub, or start from random weights with --untrained."
        ) from cause


def networks_of(bundle: Path) -> Callable[[NetworkSpec], HybridNetwork | None]:
    """Gives the bundle's network of the same name, None where it has none.

    BundleError where the bundle can't be read, UsageError where its network is built otherwise.
    """
    networks = Bundle.load(bundle).networks

    def network(spec: NetworkSpec) -> HybridNetwork | None:
        given = networks.get(spec.name)
        if given is None:
            return None
        if not built_alike(given.spec, spec):
            raise UsageError(f"{bundle}'s network {spec.name} is not built as this profile's: {spec.architecture}.")
        given.spec = spec
        return given

    return network


def built_alike(one: NetworkSpec, other: NetworkSpec) -> bool:
    """Whether the weights of the one mean the same in the other, whatever they are called."""
    first, second = (replace(spec, title="", weights="") for spec in (one, other))
    return first == second
