"""The original system's recipe by PyTorch, PIL, PyAV and scikit-learn alone: what an exported `base` bundle must equal.

Imports nothing of the project, on purpose: networks, preprocessing, stacking and maps are written a second time.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
import timm
import torch
from PIL import Image, ImageOps
from torch import Tensor, nn

ARCHITECTURES = ("efficientnet_b4", "convnext_base", "swin_small_patch4_window7_224")
SIDE = 224  # pixels
MEAN = torch.tensor((0.485, 0.456, 0.406)).view(3, 1, 1)
STD = torch.tensor((0.229, 0.224, 0.225)).view(3, 1, 1)
EVERY, AT_MOST = 5, 32  # frames of a clip


class OriginalNetwork(nn.Module):
    """One of the original's networks; the names of its parts are those of its checkpoints."""

    def __init__(self, architecture: str):
        super().__init__()
        self.backbone = timm.create_model(architecture, num_classes=0, global_pool="avg")
        self.fft_head = nn.Module()
        self.fft_head.net = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(32, 128),
            nn.ReLU(),
        )
        self.classifier = nn.Sequential(
            nn.Dropout(0.5),
            nn.Linear(self.backbone.num_features + 128, 256),
            nn.ReLU(),
            nn.Dropout(0.25),
            nn.Linear(256, 2),
        )

    def forward(self, pictures: Tensor, spectra: Tensor) -> Tensor:
        return self.classifier(torch.cat([self.backbone(pictures), self.fft_head.net(spectra)], dim=1))


def preprocess(picture: Image.Image) -> Tensor:
    """A whole upright picture, squeezed, to the normalised [3, 224, 224]."""
    small = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return (torch.from_numpy(np.array(small)).permute(2, 0, 1) / 255 - MEAN) / STD


def spectrum(picture: Tensor) -> Tensor:
    """A normalised picture [3, 224, 224] to the standardised log spectrum [1, 224, 224]."""
    magnitude = torch.log1p(torch.fft.fft2(picture.mean(dim=0)).abs())
    return ((magnitude - magnitude.mean()) / (magnitude.std() + 1e-6))[None]


@dataclass
class Answer:
    """The file's probability of FAKE; of its frames: each network's probability [N, 3] and the heatmap [N, 7, 7]."""

    probability: float
    frames: np.ndarray
    networks: np.ndarray
    heatmaps: np.ndarray


class Reference:
    """Evaluates files by the five files in a folder. Its attributes are the recipe's steps, for tests to replace."""

    def __init__(self, folder: Path):
        self.preprocess: Callable[[Image.Image], Tensor] = preprocess
        self.spectrum: Callable[[Tensor], Tensor] = spectrum
        self.networks = []
        for architecture in ARCHITECTURES:
            network = OriginalNetwork(architecture).eval()
            state = torch.load(folder / f"model_{architecture}_best.pth", weights_only=True)["model_state"]
            network.load_state_dict(state, strict=True)
            self.networks.append(network)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of scikit-learn: the dumps are of version 1.2.2
            self.scaler = joblib.load(folder / "meta_scaler.pkl")
            self.regression = joblib.load(folder / "meta_logreg.pkl")

    def picture(self, path: Path) -> Answer:
        with Image.open(path) as picture:
            return self.evaluate([ImageOps.exif_transpose(picture)])

    def video(self, path: Path) -> Answer:
        """Every 5th frame from the start, at most 32; the mean of their probabilities."""
        import av  # here: all else works where PyAV is absent

        pictures = []
        with av.open(str(path)) as container:
            for index, frame in enumerate(container.decode(video=0)):
                if index % EVERY == 0 and len(pictures) < AT_MOST:
                    upright = np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90)
                    pictures.append(Image.fromarray(np.ascontiguousarray(upright)))
        return self.evaluate(pictures)

    def evaluate(self, pictures: list[Image.Image]) -> Answer:
        networks, maps = zip(*(self._frame(picture) for picture in pictures), strict=True)
        probabilities = np.array(networks)
        frames = self.regression.predict_proba(self.scaler.transform(probabilities))[:, 1]
        slopes = self.regression.coef_[0] / self.scaler.scale_
        heatmaps = np.einsum("nmhw,m->nhw", np.array(maps), slopes / np.abs(slopes).sum())
        return Answer(float(frames.mean()), frames, probabilities, heatmaps)

    def _frame(self, picture: Image.Image) -> tuple[list[float], list[np.ndarray]]:
        inputs = self.preprocess(picture)
        spectra = self.spectrum(inputs)[None]
        answers = [explain(network, inputs[None], spectra) for network in self.networks]
        return [probability for probability, _ in answers], [cells for _, cells in answers]


def explain(network: OriginalNetwork, pictures: Tensor, spectra: Tensor) -> tuple[float, np.ndarray]:
    """The probability of FAKE of one picture, and gradient × activation [7, 7] of the margin by autograd."""
    with torch.no_grad():
        maps = network.backbone.forward_features(pictures)
        spectral = network.fft_head.net(spectra)
    maps.requires_grad_()
    with _frozen_norm(network.backbone):
        logits = network.classifier(torch.cat([network.backbone.forward_head(maps), spectral], dim=1))
    gradient = torch.autograd.grad(logits[0, 1] - logits[0, 0], maps)[0]
    cells = (gradient * maps.detach())[0]
    probability = logits.detach().softmax(dim=1)[0, 1].item()
    return probability, cells.sum(dim=0 if cells.shape[1:] == (7, 7) else 2).numpy()


class _frozen_norm:
    """For a while, ConvNeXt's norm after pooling takes its statistics as given numbers."""

    def __init__(self, backbone: nn.Module):
        self.head = backbone.head if isinstance(getattr(backbone, "head", None), nn.Module) else nn.Module()
        self.norm = getattr(self.head, "norm", None)

    def __enter__(self) -> None:
        if self.norm is not None:
            self.head.norm = _FrozenNorm(self.norm)

    def __exit__(self, *_: object) -> None:
        if self.norm is not None:
            self.head.norm = self.norm


class _FrozenNorm(nn.Module):
    def __init__(self, norm: nn.LayerNorm):
        super().__init__()
        self.norm = norm

    def forward(self, pooled: Tensor) -> Tensor:
        given = pooled.detach()
        deviation = (given.var(dim=1, keepdim=True, unbiased=False) + self.norm.eps).sqrt()
        shape = (1, -1, 1, 1)
        standard = (pooled - given.mean(dim=1, keepdim=True)) / deviation
        return standard * self.norm.weight.view(shape) + self.norm.bias.view(shape)
