"""A network whose feature extractor runs in float16, its decision and its evidence in float32.

A norm is folded into the convolution before it while both are exact: rounded apart, they cost up to four times the
difference (EfficientNet-Lite0, ONNX Runtime). What follows the last feature map is short, and exactness matters there.
"""

import copy
import itertools

import torch
from deepfake_contract.errors import ExportError
from deepfake_networks.network import HybridNetwork
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def in_half(network: HybridNetwork) -> HybridNetwork:
    """A copy of the network, in evaluation mode, with a feature extractor in float16.

    ExportError where a weight is beyond float16's range.
    """
    network = copy.deepcopy(network).eval()
    with torch.no_grad():
        fold_norms(network.backbone)
        network.backbone = HalfBackbone(network.backbone)
    return network


class HalfBackbone(nn.Module):
    """Features as the backbone's, float32 in and out; the head that follows the feature map stays in float32."""

    def __init__(self, backbone: nn.Module):
        super().__init__()
        # What maps.as_maps reads of a transformer.
        self.patch_embed = getattr(backbone, "patch_embed", None)
        self.num_prefix_tokens = getattr(backbone, "num_prefix_tokens", 0)
        self.output_fmt = getattr(backbone, "output_fmt", "NCHW")
        self.head = copy.deepcopy(getattr(backbone, "head", None))
        self.features = backbone.half()
        for name, value in self.features.named_parameters():
            if not torch.isfinite(value).all():
                raise ExportError(f"float16 can't hold the network's {name}: export with --precision tf32 or float32.")

    def forward_features(self, normalised: Tensor) -> Tensor:
        return self.features.forward_features(normalised.half()).float()  # type: ignore[operator]


def fold_norms(module: nn.Module) -> None:
    """Replaces each batch norm that stands right after its convolution; timm keeps the activation inside the norm."""
    children = list(module.named_children())
    for (name, first), (next_name, second) in itertools.pairwise(children):
        if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
            if first.out_channels != second.num_features:
                continue
            setattr(module, name, fuse_conv_bn_eval(first, second))
            kept = [getattr(second, part) for part in ("drop", "act") if hasattr(second, part)]
            setattr(module, next_name, nn.Sequential(*kept))
    for _, child in module.named_children():
        fold_norms(child)
