"""Where in a crop a network's decision comes from: gradient × activation at the last feature map, in closed form.

Grad-CAM (Selvaraju et al., 2017) without its ReLU and its averaging over channels: each cell of the map gets what it
adds to the margin (logit FAKE − logit REAL), so cells, spectrum and the rest add up to the margin.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from deepfake_networks.maps import feature_map, share_out
from deepfake_networks.network import HybridNetwork


class Explanation(NamedTuple):
    """Logits [N, 2] of REAL and FAKE; and what adds up to their margin, in logits, positive toward FAKE: `evidence`
    [N, 7, 7] of each cell of the crop, `other_part` [N] of the other features (the spectrum, the face's side; 0 without
    them), `rest` [N]: what no cell and no feature adds (biases, and what a norm after the pooling shifts)."""

    logits: Tensor
    evidence: Tensor
    other_part: Tensor
    rest: Tensor


def explain(network: HybridNetwork, pictures: Tensor, other_features: Tensor) -> Explanation:
    """RGB [N, 3, H, W] in 0 to 1 and the network's other_features [N, D] to the logits and what they consist of.

    Found on the backbone's own grid (7×7 of 32 pixels, 16×16 patches of 14), and shared out to 7×7 by area.
    """
    maps = feature_map(network.backbone, network.normalise(pictures))
    scale, shift = _pooling(network.backbone, maps)
    pooled = maps.mean(dim=(2, 3)) * scale + shift
    logits, gradient, constant = _classify(network.classifier, torch.cat([pooled, other_features], dim=1))
    of_pooled, of_other = gradient[:, : pooled.shape[1]], gradient[:, pooled.shape[1] :]
    cells = maps.shape[2] * maps.shape[3]
    evidence = (maps * (of_pooled * scale / cells)[:, :, None, None]).sum(dim=1)
    rest = constant + (of_pooled * shift).sum(dim=1)
    return Explanation(logits, share_out(evidence), (of_other * other_features).sum(dim=1), rest)


def norm_after_pooling(backbone: nn.Module) -> nn.LayerNorm | None:
    """ConvNeXt's norm between pooling and classifier; None in the other families."""
    norm = getattr(getattr(backbone, "head", None), "norm", None)
    return norm if isinstance(norm, nn.LayerNorm) else None


def _pooling(backbone: nn.Module, maps: Tensor) -> tuple[Tensor, Tensor]:
    """What the pooled map [N, C] is multiplied by and what is added, before the classifier.

    A norm's mean and deviation are taken as given numbers: it does not change with the map's scale, so a gradient
    through them would make the cells add up to nothing.
    """
    norm = norm_after_pooling(backbone)
    if norm is None:
        return maps.new_ones(1, 1), maps.new_zeros(1, 1)
    pooled = maps.mean(dim=(2, 3))
    mean = pooled.mean(dim=1, keepdim=True)
    variance = (pooled - mean).square().mean(dim=1, keepdim=True)
    scale = norm.weight / torch.sqrt(variance + norm.eps)
    return scale, norm.bias - mean * scale


def _classify(classifier: nn.Sequential, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Logits, the margin's gradient toward the features [N, F + D], and the margin's part that is no feature's [N].

    In evaluation the dropouts pass everything, and a layer with ReLU is linear on each side of its kinks.
    """
    hidden, last = classifier[1], classifier[4]
    assert isinstance(hidden, nn.Linear) and isinstance(last, nn.Linear)
    before = hidden(features)
    active = (before > 0).to(features.dtype)
    logits = last(before * active)
    margin_weights = (last.weight[1] - last.weight[0]) * active
    constant = (margin_weights * hidden.bias).sum(dim=1) + last.bias[1] - last.bias[0]
    return logits, margin_weights @ hidden.weight, constant
