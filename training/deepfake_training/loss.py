"""What a network is asked for: whether a picture is a fake, and where it was manipulated."""

from collections.abc import Callable

import numpy as np
import torch
from deepfake_networks.maps import as_maps
from deepfake_networks.network import HybridNetwork
from torch import Tensor, nn
from torch.nn import functional

LABEL_SMOOTHING = 0.05
PLACE_WEIGHT = 0.5  # of where, beside whether
CHANGED = 0.35  # of the greatest change of a cell: from there up a cell counts as manipulated


def member_loss(
    network: HybridNetwork,
    features: Callable[[Tensor], Tensor],
    place: nn.Module,
    pictures: Tensor,
    aligned: np.ndarray | Tensor,
    side: int,
) -> Tensor:
    """The loss for RGB [2N, 3, H, W] in 0 to 1, N reals and then their N fakes.

    The backbone sees them at `side` pixels, through `features`: its `forward_features`, or a faster way to the same.
    `place` [C → 1] reads a logit of manipulation from each cell of its last maps; `aligned` bool [N] says which fakes
    differ from their real only in what was manipulated.
    """
    small = pictures
    if side != pictures.shape[-1]:
        small = functional.interpolate(pictures, (side, side), mode="bilinear", antialias=True)
    labels = torch.arange(len(pictures), device=pictures.device) // (len(pictures) // 2)
    last = features(network.normalise(small))
    pooled = network.backbone.forward_head(last)  # type: ignore[operator]
    logits = network.classify(pooled, network.fft_features(pictures))
    found = place(as_maps(network.backbone, last))
    whether = functional.cross_entropy(logits, labels, label_smoothing=LABEL_SMOOTHING)
    return whether + PLACE_WEIGHT * place_loss(found, pictures, torch.as_tensor(aligned, device=pictures.device))


def place_loss(found: Tensor, pictures: Tensor, aligned: Tensor) -> Tensor:
    """How badly each cell's logit [2N, 1, h, w] says whether the cell was manipulated.

    Known where a fake is aligned with its real: the cells that differ most; in reals none is. Nothing is asked of
    other fakes. The idea is Face X-ray's (Li et al., CVPR 2020), with the pair's difference for its blending mask.
    """
    reals, fakes = pictures.chunk(2)
    cells = (found.shape[2], found.shape[3])
    change = functional.adaptive_avg_pool2d((fakes - reals).abs().mean(1, keepdim=True), cells)
    manipulated = (change > CHANGED * change.amax(dim=(2, 3), keepdim=True)).float()
    wanted = torch.cat([torch.zeros_like(manipulated), manipulated])
    known = torch.cat([torch.ones_like(aligned), aligned]).float()[:, None, None, None]
    losses = functional.binary_cross_entropy_with_logits(found, wanted, reduction="none") * known
    return losses.sum() / (known.sum() * cells[0] * cells[1])
