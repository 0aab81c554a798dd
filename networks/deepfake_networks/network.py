"""One hybrid network: a timm backbone on the picture, beside it, where wanted, a small convolutional head on its
spectrum.

Modules carry the original system's names, so that its state dicts load with `strict=True`.
"""

import timm
import torch
from deepfake_contract.description import IMAGENET_MEAN, IMAGENET_STD, FFTSpec, NetworkSpec
from torch import Tensor, nn

from deepfake_networks.spectrum import log_spectrum

CLASSIFIER_WIDTH = 256


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
    """RGB [N, 3, H, W] in 0 to 1, square, to logits [N, 2] of REAL and FAKE.

    A network that asks for them is also given `face_sides` [N], the faces' longer sides in pixels of the source.
    """

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
            nn.Linear(self.backbone.num_features + spec.fft_width + spec.face_side, CLASSIFIER_WIDTH),  # type: ignore[operator,arg-type]
            nn.ReLU(),
            nn.Dropout(0.25),
            nn.Linear(CLASSIFIER_WIDTH, 2),
        )

    def forward(self, pictures: Tensor, face_sides: Tensor | None = None) -> Tensor:
        return self.classify(self.backbone(self.normalise(pictures)), self.other_features(pictures, face_sides))

    def normalise(self, pictures: Tensor) -> Tensor:
        """As the backbone wants them: by the network's own mean and deviation."""
        return normalise(pictures, self.spec.mean, self.spec.std)

    def fft_features(self, pictures: Tensor) -> Tensor:
        """What the spectrum says of the pictures [N, D]; [N, 0] in a network that has no head for it."""
        if self.spec.fft is None or self.fft_head is None:
            return pictures.new_zeros(len(pictures), 0)
        spectrum = log_spectrum(normalise(pictures, IMAGENET_MEAN, IMAGENET_STD), self.spec.fft.size)
        return self.fft_head(spectrum)

    def other_features(self, pictures: Tensor, face_sides: Tensor | None = None) -> Tensor:
        """What the classifier reads beside the backbone's features: the spectrum's [N, D], and how far the face was
        enlarged [N, 1] where the network asks for it; ValueError where that is missing."""
        return join_face_sides(self.spec, self.fft_features(pictures), face_sides, pictures.shape[-1])

    def classify(self, backbone_features: Tensor, other_features: Tensor) -> Tensor:
        """Pooled features [N, F] and other_features [N, D] to logits [N, 2]."""
        return self.classifier(torch.cat([backbone_features, other_features], dim=1))


def join_face_sides(spec: NetworkSpec, fft_features: Tensor, face_sides: Tensor | None, crop_side: int) -> Tensor:
    """The spectrum's features [N, D], and beside them, where the network asks for it, log2 of how far the face was
    enlarged; `face_sides` [N] or [N, 1] in pixels of the source."""
    if not spec.face_side:
        return fft_features
    if face_sides is None:
        raise ValueError(f"{spec.name} needs the faces' sides")
    enlarged = torch.log2(crop_side / face_sides.reshape(-1, 1).clamp(min=1))
    return torch.cat([fft_features, enlarged.to(fft_features)], dim=1)


def normalise(pictures: Tensor, mean: tuple[float, float, float], std: tuple[float, float, float]) -> Tensor:
    """RGB [N, 3, H, W] in 0 to 1, less `mean`, over `std`."""
    shape = (1, 3, 1, 1)
    return (pictures - pictures.new_tensor(mean).view(shape)) / pictures.new_tensor(std).view(shape)
