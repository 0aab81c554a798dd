"""Makes a bundle in the original system's format: five files with seeded random weights that answer like trained ones.

    python tests/base_bundle.py FOLDER

Untouched random weights answer all but constantly. So the weights are drawn large enough for a signal to pass, batch
norms get the statistics of pictures, and each network's last layer is shifted and scaled until its probabilities
spread over the pictures. The stacking is fitted on these, and dumped byte for byte as scikit-learn 1.2.2 did.
"""

import copyreg
import io
import pickle
import sys
from pathlib import Path
from typing import Any

import joblib.numpy_pickle
import matplotlib.cbook
import numpy as np
import sklearn.datasets
import torch
from PIL import Image, ImageEnhance
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parent))
from reference import ARCHITECTURES, OriginalNetwork, preprocess, spectrum

SPREAD = 1.2  # standard deviation of a network's margins over the pictures, logits
JITTERED = 200  # scores that the stacking is fitted on


def make_base_bundle(folder: Path, seed: int = 0) -> None:
    """Writes the five files into the folder, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    inputs = torch.stack([preprocess(picture) for picture in pictures()])
    spectra = torch.stack([spectrum(picture) for picture in inputs])
    scores = []
    for architecture in ARCHITECTURES:
        network = OriginalNetwork(architecture)
        _draw(network)
        with torch.no_grad():
            scores.append(_calibrate(network, inputs, spectra).numpy())
        torch.save({"model_state": network.state_dict()}, folder / f"model_{architecture}_best.pth")
    scaler, regression = _stack(np.stack(scores, axis=1), np.random.default_rng(seed))
    (folder / "meta_scaler.pkl").write_bytes(dump_like_1_2_2(scaler))
    (folder / "meta_logreg.pkl").write_bytes(dump_like_1_2_2(regression))


def pictures() -> list[Image.Image]:
    """Pictures under free terms, whole and in parts, and recoloured."""
    path = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    whole = [Image.open(path).convert("RGB")]
    whole += [Image.fromarray(sklearn.datasets.load_sample_image(name)) for name in ("china.jpg", "flower.jpg")]
    parts = [each.crop((0, 0, each.width // 2, each.height // 2)) for each in whole]
    changed = [ImageEnhance.Color(each).enhance(0.1) for each in whole]
    darker = [ImageEnhance.Brightness(each).enhance(0.3) for each in parts]
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8))
    # Far from any photograph: without it in the norms' statistics, noise would pass as numbers without bounds.
    return [*whole, *parts, *changed, *darker, noise, noise.resize((150, 150))]


def _draw(network: nn.Module) -> None:
    """Weights at which each layer keeps the size of what passes through it."""
    with torch.no_grad():
        for name, value in network.named_parameters():
            if value.ndim > 1 and "relative_position" not in name:
                nn.init.normal_(value, std=(1.5 / value[0].numel()) ** 0.5)
            elif name.endswith("gamma"):  # ConvNeXt's layer scale starts at 1e-6, where its blocks do nothing
                nn.init.normal_(value, mean=0.3, std=0.1)
            elif name.endswith("weight"):
                nn.init.normal_(value, mean=1.0, std=0.1)
            else:
                nn.init.normal_(value, std=0.1)
        for block in network.modules():
            _calm(block)


def _calm(block: nn.Module) -> None:
    """Lets EfficientNet's blocks add and gate less: at full strength rounding grew to 100 % on some pictures."""
    if getattr(block, "has_skip", False):
        (block.bn3 if hasattr(block, "bn3") else block.bn2).weight.mul_(0.3)
    if type(block).__name__ == "SqueezeExcite":
        block.conv_reduce.weight.mul_(0.3)
        block.conv_expand.weight.mul_(0.3)


def _calibrate(network: OriginalNetwork, inputs: Tensor, spectra: Tensor) -> Tensor:
    """Sets the norms' statistics and the last layer, and returns the probabilities of FAKE [N]."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over the batches
        norm.train()
    if norms:
        network(inputs, spectra)
    network.eval()
    logits, last = network(inputs, spectra), network.classifier[4]
    margins = logits[:, 1] - logits[:, 0]
    scale = SPREAD / margins.std()
    last.weight.mul_(scale)
    last.bias.mul_(scale)
    last.bias[1] -= margins.mean() * scale
    return torch.sigmoid((margins - margins.mean()) * scale)


def _stack(scores: np.ndarray, random: np.random.Generator) -> tuple[StandardScaler, LogisticRegression]:
    chosen = scores[random.integers(0, len(scores), JITTERED)] + random.normal(0, 0.1, (JITTERED, scores.shape[1]))
    scaler = StandardScaler().fit(chosen)
    scaled = scaler.transform(chosen)
    truth = scaled @ [1.0, 0.8, 0.6] + random.normal(0, 0.5, JITTERED) > 0
    return scaler, LogisticRegression().fit(scaled, truth.astype(np.int64))


FITTED = object()  # stands for what fitting found
# The attributes that version 1.2.2 kept, in its order, with the defaults that it had.
STATES_1_2_2: dict[str, dict[str, Any]] = {
    "StandardScaler": {
        "with_mean": True,
        "with_std": True,
        "copy": True,
        "n_features_in_": FITTED,
        "n_samples_seen_": FITTED,
        "mean_": FITTED,
        "var_": FITTED,
        "scale_": FITTED,
    },
    "LogisticRegression": {
        "penalty": "l2",
        "dual": False,
        "tol": 0.0001,
        "C": 1.0,
        "fit_intercept": True,
        "intercept_scaling": 1,
        "class_weight": None,
        "random_state": None,
        "solver": "lbfgs",
        "max_iter": 100,
        "multi_class": "auto",
        "verbose": 0,
        "warm_start": False,
        "n_jobs": None,
        "l1_ratio": None,
        "n_features_in_": FITTED,
        "classes_": FITTED,
        "n_iter_": FITTED,
        "coef_": FITTED,
        "intercept_": FITTED,
    },
}


def dump_like_1_2_2(estimator: StandardScaler | LogisticRegression) -> bytes:
    """The bytes that joblib.dump wrote for this estimator under scikit-learn 1.2.2, joblib 1.3 and numpy 1."""
    buffer = io.BytesIO()
    _Pickler(buffer, protocol=4).dump(estimator)
    return buffer.getvalue()


class _Pickler(joblib.numpy_pickle.NumpyPickler):
    """Writes estimators with the attributes of 1.2.2, and numpy's inner functions under their names in numpy 1."""

    def reducer_override(self, obj: Any) -> Any:
        kept = STATES_1_2_2.get(type(obj).__name__)
        if kept is None:
            return NotImplemented
        state = {name: getattr(obj, name) if default is FITTED else default for name, default in kept.items()}
        return copyreg.__newobj__, (type(obj),), state | {"_sklearn_version": "1.2.2"}  # type: ignore[attr-defined]

    def save_global(self, obj: Any, name: str | None = None) -> None:
        if getattr(obj, "__module__", "").startswith("numpy._core"):
            self.save(obj.__module__.replace("numpy._core", "numpy.core"))
            self.save(obj.__name__)
            self.write(pickle.STACK_GLOBAL)
            self.memoize(obj)
        else:
            super().save_global(obj, name)

    dispatch = joblib.numpy_pickle.NumpyPickler.dispatch.copy()
    dispatch[type(np.float64(0).__reduce__()[0])] = save_global


if __name__ == "__main__":
    make_base_bundle(Path(sys.argv[1]))
