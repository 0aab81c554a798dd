"""A backbone's last features as maps, whichever way round it keeps them, and maps brought to the grid that is shown."""

import torch
from deepfake_contract.tensors import MAP_SIDE
from torch import Tensor, nn


def feature_map(backbone: nn.Module, normalised: Tensor) -> Tensor:
    """The last maps [N, C, h, w] before pooling; where a norm ends the features (Swin, ViT), after that norm."""
    return as_maps(backbone, backbone.forward_features(normalised))  # type: ignore[operator]


def as_maps(backbone: nn.Module, features: Tensor) -> Tensor:
    """What `backbone.forward_features` gives to maps [N, C, h, w], whose mean is what the classifier reads.

    Convolutions give maps; Swin gives channels last; a vision transformer gives tokens [N, T, C], the class token and
    registers first, then the patches row by row.
    """
    if features.ndim == 3:
        height, width = backbone.patch_embed.grid_size  # type: ignore[union-attr,misc]
        patches = features[:, backbone.num_prefix_tokens :]  # type: ignore[misc]
        return patches.transpose(1, 2).unflatten(2, (height, width))
    return features.permute(0, 3, 1, 2) if getattr(backbone, "output_fmt", "NCHW") == "NHWC" else features


def share_out(evidence: Tensor) -> Tensor:
    """Evidence [N, h, w] to [N, MAP_SIDE, MAP_SIDE] with the same sum; the very tensor where it has that size.

    Each cell is divided among those it overlaps, in proportion to area.
    """
    height, width = evidence.shape[1:]
    if (height, width) == (MAP_SIDE, MAP_SIDE):
        return evidence
    down, across = (_shares(int(side), MAP_SIDE, evidence) for side in (height, width))
    return down @ evidence @ across.T


def _shares(given: int, wanted: int, like: Tensor) -> Tensor:
    """What part of each of `given` equal lengths lies in each of `wanted` over the same whole: [wanted, given], columns
    of sum 1."""
    # In units of 1 / (given · wanted) of the whole all bounds are whole numbers.
    old, new = torch.arange(given) * wanted, torch.arange(wanted) * given
    first = torch.maximum(new[:, None], old[None])
    last = torch.minimum(new[:, None] + given, old[None] + wanted)
    return ((last - first).clamp(min=0).double() / wanted).to(like)
