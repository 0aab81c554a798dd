"""AdamW, each part of a network at its own rate."""

from itertools import chain

import torch
from deepfake_networks.network import HybridNetwork
from timm.optim import param_groups_layer_decay
from torch import nn

from deepfake_training.recipes import Recipe


def make_optimizer(network: HybridNetwork, localiser: nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    """AdamW over network and localiser. A group's `lr_scale` is its rate as a share of the recipe's.

    With a `layer_decay` below 1 the backbone's last block learns at `backbone_rate` of the rate and each block before
    it at `layer_decay` of the next one's (layer-wise decay: Clark et al. 2020, ELECTRA; timm's grouping).
    """
    if recipe.layer_decay == 1.0 and recipe.backbone_rate == 1.0:
        groups = [{"params": [*network.parameters(), *localiser.parameters()], "lr_scale": 1.0}]
    else:
        groups = param_groups_layer_decay(network.backbone, recipe.weight_decay, layer_decay=recipe.layer_decay)
        for group in groups:
            group["lr_scale"] *= recipe.backbone_rate
        of_backbone = {id(parameter) for parameter in network.backbone.parameters()}
        rest = [value for value in chain(network.parameters(), localiser.parameters()) if id(value) not in of_backbone]
        groups.append({"params": rest, "lr_scale": 1.0})
    return torch.optim.AdamW(groups, recipe.learning_rate, weight_decay=recipe.weight_decay)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Gives every group its share of the rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["lr_scale"]
