"""One small network of each family, so that the detector and the export are tested with all three."""

from pathlib import Path

import numpy as np
import torch
from deepfake_networks.bundle import Title
from deepfake_networks.network import HybridNetwork, NetworkSpec
from deepfake_networks.profiles import LITE, LITE_FFT, LITE_POLICY
from deepfake_networks.writing import write_bundle
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

FAMILIES = (
    LITE[0],
    NetworkSpec("convnext", "convnext_atto", "model_convnext_best.pth", fft=LITE_FFT),
    NetworkSpec(
        "swin",
        "swin_tiny_patch4_window7_224",
        "model_swin_best.pth",
        arguments={"embed_dim": 32, "depths": [2, 2, 6, 2], "num_heads": [1, 2, 4, 8]},
        fft=LITE_FFT,
    ),
)


def write_random_bundle(folder: Path, title: Title) -> Path:
    """Stored as float16, as the shipped one; drawn so that signals pass through every block. The folder."""
    torch.manual_seed(0)
    networks = [HybridNetwork(spec) for spec in FAMILIES]
    for network in networks:
        for name, value in network.named_parameters():
            if value.ndim > 1:
                torch.nn.init.normal_(value, std=(1.5 / value[0].numel()) ** 0.5)
            elif name.endswith("gamma"):
                torch.nn.init.normal_(value, mean=0.3, std=0.1)
    scores = np.random.default_rng(0).random((100, 3))
    scaler = StandardScaler().fit(scores)
    regression = LogisticRegression().fit(scaler.transform(scores), (scores @ [3, 2, 1] > 3).astype(int))
    write_bundle(folder, title, networks, scaler, regression, LITE_POLICY, half=True)
    return folder
