"""The torch modules that are exported: each takes the client's bytes and holds its normalisation."""

from collections.abc import Sequence

import torch
from deepfake_contract.description import IMAGENET_MEAN, IMAGENET_STD
from deepfake_networks.evidence import explain
from deepfake_networks.network import HybridNetwork, join_face_sides, normalise
from deepfake_networks.spectrum import standardise
from torch import Tensor, nn

from deepfake_export.fft_tables import TableSpectrum


def pictures(crops: Tensor) -> Tensor:
    """uint8 [N, H, W, 3] to float [N, 3, H, W] in 0 to 1."""
    return crops.permute(0, 3, 1, 2).float() / 255


class FFTBranch(nn.Module):
    """Crops [N, side, side, 3] to the spectrum's features [N, D] of each network that has a head for it, in order."""

    def __init__(self, networks: Sequence[HybridNetwork], side: int):
        super().__init__()
        with_head = [network for network in networks if network.fft_head is not None]
        self.heads = nn.ModuleList(network.fft_head for network in with_head)  # type: ignore[misc]
        self.sides = [network.spec.fft.size for network in with_head]  # type: ignore[union-attr]
        self.spectrum = TableSpectrum(side)

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        grey = normalise(pictures(crops), IMAGENET_MEAN, IMAGENET_STD).mean(dim=1, keepdim=True)
        magnitude = self.spectrum(grey)
        inputs = {side: standardise(magnitude, side) for side in dict.fromkeys(self.sides)}
        return tuple(head(inputs[side]) for head, side in zip(self.heads, self.sides, strict=True))


class NetworkBranch(nn.Module):
    """Crops, and where the network has them the spectrum's features and the faces' sides, to the probability of FAKE
    [N, 1] and the evidence [N, 7, 7]."""

    def __init__(self, network: HybridNetwork, side: int):
        super().__init__()
        self.network, self.side = network, side

    def forward(self, crops: Tensor, *others: Tensor) -> tuple[Tensor, Tensor]:
        spec, images = self.network.spec, pictures(crops)
        fft = others[0] if spec.fft else torch.zeros_like(images[:, :0, 0, 0])
        sides = others[-1] if spec.face_side else None
        explanation = explain(self.network, images, join_face_sides(spec, fft, sides, self.side))
        return explanation.logits.softmax(dim=1)[:, 1:], explanation.evidence
