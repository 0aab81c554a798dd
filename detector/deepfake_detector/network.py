"""One hybrid network: a timm backbone on the picture, beside it, where wanted, a small convolutional head on its
spectrum.

Modules carry the original system's names, so that its state dicts load with `strict=True`.
"""

from dataclasses import dataclass, field
from typing import Any

import timm
import torch
from torch import Tensor, nn

from deepfake_detector.spectrum import log_spectrum

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
INPUT_SIDE = 224  # pixels
CLASSIFIER_WIDTH = 256


@dataclass(frozen=True)
class FFTSpec:
    """The FFT head's shape: the side of the spectrum it sees, its convolutions' widths, the features it gives."""

    size: int = INPUT_SIDE
    channels: tuple[int, int] = (16, 32)
    features: int = 128


@dataclass(frozen=True)
class NetworkSpec:
    """What one network is made of. `role` is its place in the stacking and its Triton model's name; mean and std
    (of RGB in 0 to 1) normalise the backbone's input, while the spectrum always uses ImageNet's. Without `fft` the
    network looks at the picture alone."""

    role: str
    architecture: str
    weights: str
    arguments: dict[str, Any] = field(default_factory=dict)
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    fft: FFTSpec | None = FFTSpec()

    @property
    def fft_width(self) -> int:
        """How many features the spectrum gives, 0 without one."""
        return 0 if self.fft is None else self.fft.features


class FFTHead(nn.Module):
    """Standardised spectrum [N, 1, size, size] to features [N, D]."""

    def __init__(self, spec: FFTSpec):
        super().__init__()
        first, second = spec.channels
        self.net = nn.Sequential(
            nn.Conv2d(1, first, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(first, second, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(second, spec.features),
            nn.ReLU(),
        )

    def forward(self, spectrum: Tensor) -> Tensor:
        return self.net(spectrum)


class HybridNetwork(nn.Module):
    """RGB [N, 3, 224, 224] in 0 to 1 to logits [N, 2] of REAL and FAKE."""

    backbone: nn.Module
    fft_head: FFTHead | None
    classifier: nn.Sequential

    def __init__(self, spec: NetworkSpec, pretrained: bool = False):
        super().__init__()
        self.spec = spec
        self.backbone = timm.create_model(
            spec.architecture, pretrained=pretrained, num_classes=0, global_pool="avg", **spec.arguments
        )
        self.fft_head = None if spec.fft is None else FFTHead(spec.fft)
        self.classifier = nn.Sequential(
            nn.Dropout(0.5),
            nn.Linear(self.backbone.num_features + spec.fft_width, CLASSIFIER_WIDTH),  # type: ignore[operator,arg-type]
            nn.ReLU(),
            nn.Dropout(0.25),
            nn.Linear(CLASSIFIER_WIDTH, 2),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        return self.classify(self.backbone(self.normalise(pictures)), self.fft_features(pictures))

    def normalise(self, pictures: Tensor) -> Tensor:
        return normalise(pictures, self.spec.mean, self.spec.std)

    def fft_features(self, pictures: Tensor) -> Tensor:
        """What the spectrum says of the pictures [N, D]; [N, 0] in a network that has no head for it."""
        if self.spec.fft is None or self.fft_head is None:
            return pictures.new_zeros(len(pictures), 0)
        spectrum = log_spectrum(normalise(pictures, IMAGENET_MEAN, IMAGENET_STD), self.spec.fft.size)
        return self.fft_head(spectrum)

    def classify(self, backbone_features: Tensor, fft_features: Tensor) -> Tensor:
        return self.classifier(torch.cat([backbone_features, fft_features], dim=1))


def normalise(pictures: Tensor, mean: tuple[float, float, float], std: tuple[float, float, float]) -> Tensor:
    """RGB [N, 3, H, W] in 0 to 1, less `mean`, over `std`."""
    shape = (1, 3, 1, 1)
    return (pictures - pictures.new_tensor(mean).view(shape)) / pictures.new_tensor(std).view(shape)
