"""A network's probabilities of FAKE for face crops."""

import numpy as np
import torch
from deepfake_networks.network import HybridNetwork
from torch import Tensor

from deepfake_training.crops import Picked
from deepfake_training.machine import Machine


@torch.inference_mode()
def probabilities(
    network: HybridNetwork, crops: np.ndarray | Picked, face_sides: np.ndarray | None = None
) -> np.ndarray:
    """Probability of FAKE for crops uint8 [N, S, S, 3], float64 [N]; a network that wants to know them is told the
    faces' sides [N] in pixels.

    Computed where the network is: on a GPU in bfloat16, as it learnt; on a CPU in float32.
    """
    network.eval()
    device = next(network.parameters()).device
    batch = 256 if device.type == "cuda" else 16
    parts = []
    with Machine(device, 1).autocast():
        for start in range(0, len(crops), batch):
            some = slice(start, start + batch)
            sides = None if face_sides is None else torch.tensor(face_sides[some], dtype=torch.float32, device=device)
            logits = network(to_tensor(crops[some], device), sides)
            parts.append(logits.double().softmax(1)[:, 1])
    return torch.cat(parts).cpu().numpy()


def to_tensor(crops: np.ndarray | Tensor, device: torch.device | str = "cpu") -> Tensor:
    """uint8 [N, H, W, 3] to float [N, 3, H, W] in 0 to 1."""
    given = crops if isinstance(crops, Tensor) else torch.from_numpy(np.array(crops))
    # NHWC memory seen as NCHW is what torch calls channels_last.
    return given.to(device, non_blocking=True).permute(0, 3, 1, 2).float() / 255
