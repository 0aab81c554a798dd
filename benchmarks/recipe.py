"""The original's recipe: PyTorch eager, one frame at a time, three networks in turn, the stacking by scikit-learn."""

import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import joblib
import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from reference import ARCHITECTURES, AT_MOST, EVERY, MEAN, STD, OriginalNetwork, preprocess, spectrum


class Recipe:
    """The original's way from a frame to a probability, by its five files in `bundle`; on a GPU with PyTorch's
    settings as they come (convolutions by TF32, other products not)."""

    def __init__(self, bundle: Path, device: str = "cpu"):
        self.device = torch.device(device)
        self.mean, self.std = MEAN.to(self.device), STD.to(self.device)
        self.networks = []
        for architecture in ARCHITECTURES:
            network = OriginalNetwork(architecture).eval()
            state = torch.load(bundle / f"model_{architecture}_best.pth", weights_only=True)
            network.load_state_dict(state["model_state"])
            self.networks.append(network.to(self.device))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of scikit-learn: the dumps are of an older version
            self.scaler = joblib.load(bundle / "meta_scaler.pkl")
            self.regression = joblib.load(bundle / "meta_logreg.pkl")

    def clip(self, clip: Path) -> float:
        """The mean of the frames' probabilities of FAKE."""
        return float(np.mean([self.probability(preprocess(frame).to(self.device)) for frame in frames(clip)]))

    def crops(self, crops: np.ndarray) -> list[float]:
        """A probability of FAKE each for crops [N, 224, 224, 3] uint8, which need no resizing."""
        return [self.probability(self._normalised(crop)) for crop in crops]

    @torch.inference_mode()
    def probability(self, picture: torch.Tensor) -> float:
        """A normalised picture [3, 224, 224] on the device to its probability of FAKE."""
        pictures, spectra = picture[None], spectrum(picture)[None]
        scores = [network(pictures, spectra).softmax(dim=1)[0, 1].item() for network in self.networks]
        return float(self.regression.predict_proba(self.scaler.transform([scores]))[0, 1])

    def _normalised(self, crop: np.ndarray) -> torch.Tensor:
        return (torch.from_numpy(crop).to(self.device).permute(2, 0, 1) / 255 - self.mean) / self.std


def frames(clip: Path) -> Iterator[Image.Image]:
    """Every 5th frame of a clip, upright, at most 32; by PyAV."""
    import av

    with av.open(str(clip)) as container:
        taken = 0
        for index, frame in enumerate(container.decode(video=0)):
            if index % EVERY == 0:
                yield Image.fromarray(
                    np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90))
                )
                taken += 1
                if taken == AT_MOST:
                    return
