"""What a network learns by: whether a picture is a fake, and where it was manipulated."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from deepfake_networks.maps import as_maps
from deepfake_networks.network import HybridNetwork
from torch import Tensor, nn
from torch.nn import functional

LABEL_SMOOTHING = 0.05
CHANGED = 0.35  # of the greatest change of a cell: from there up a cell counts as manipulated


@dataclass(frozen=True)
class Objective:
    """The loss of a network that learns.

    The backbone works through `features`: its `forward_features`, or a faster way to the same. `localiser` [C → 1]
    reads a logit of manipulation from each cell of its last maps; `localisation_weight` is the weight of what that
    says, 0 for nothing.
    """

    network: HybridNetwork
    features: Callable[[Tensor], Tensor]
    localiser: nn.Module
    localisation_weight: float

    def loss(self, pictures: Tensor, face_sides: Tensor, aligned: Tensor, side: int) -> Tensor:
        """For RGB [2N, 3, H, W] in 0 to 1, N reals and then their N fakes, and their faces' sides [2N] in pixels.

        The backbone sees them at `side` pixels. `aligned` bool [N] says which fakes differ from their real only in what
        was manipulated.
        """
        small = pictures
        if side != pictures.shape[-1]:
            small = functional.interpolate(pictures, (side, side), mode="bilinear", antialias=True)
        y_true = torch.arange(len(pictures), device=pictures.device) // (len(pictures) // 2)
        last = self.features(self.network.normalise(small))
        pooled = self.network.backbone.forward_head(last)  # type: ignore[operator]
        logits = self.network.classify(pooled, self.network.other_features(pictures, face_sides))
        whether = functional.cross_entropy(logits, y_true, label_smoothing=LABEL_SMOOTHING)
        if not self.localisation_weight:
            return whether
        where = localisation_loss(self.localiser(as_maps(self.network.backbone, last)), pictures, aligned)
        return whether + self.localisation_weight * where


def localisation_loss(predicted: Tensor, pictures: Tensor, aligned: Tensor) -> Tensor:
    """How badly each cell's logit [2N, 1, h, w] says whether the cell was manipulated.

    Known where a fake is aligned with its real: the cells that differ most; in reals none is. Nothing is asked of
    other fakes. The idea is Face X-ray's (Li et al., CVPR 2020), with the pair's difference for its blending mask.
    """
    reals, fakes = pictures.chunk(2)
    cells = (predicted.shape[2], predicted.shape[3])
    change = functional.adaptive_avg_pool2d((fakes - reals).abs().mean(1, keepdim=True), cells)
    manipulated = (change > CHANGED * change.amax(dim=(2, 3), keepdim=True)).float()
    wanted = torch.cat([torch.zeros_like(manipulated), manipulated])
    known = torch.cat([torch.ones_like(aligned), aligned]).float()[:, None, None, None]
    losses = functional.binary_cross_entropy_with_logits(predicted, wanted, reduction="none") * known
    return losses.sum() / (known.sum() * cells[0] * cells[1])
