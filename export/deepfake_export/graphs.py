"""The torch modules that are exported: each takes the client's bytes and holds its normalisation."""

from collections.abc import Sequence

from deepfake_detector.evidence import explain
from deepfake_detector.network import IMAGENET_MEAN, IMAGENET_STD, HybridNetwork, normalise
from deepfake_detector.spectrum import standardise
from torch import Tensor, nn

from deepfake_export.fft_tables import TableSpectrum
from deepfake_export.tensors import CROP_SIDE


def pictures(crops: Tensor) -> Tensor:
    """uint8 [N, 224, 224, 3] to float [N, 3, 224, 224] in 0 to 1."""
    return crops.permute(0, 3, 1, 2).float() / 255


class FFTBranch(nn.Module):
    """Crops to the spectrum's features of each network [N, D], in the networks' order."""

    def __init__(self, networks: Sequence[HybridNetwork]):
        super().__init__()
        with_head = [network for network in networks if network.fft_head is not None]
        self.heads = nn.ModuleList(network.fft_head for network in with_head)  # type: ignore[misc]
        self.sides = [network.spec.fft.size for network in with_head]  # type: ignore[union-attr]
        self.spectrum = TableSpectrum(CROP_SIDE)

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        grey = normalise(pictures(crops), IMAGENET_MEAN, IMAGENET_STD).mean(dim=1, keepdim=True)
        magnitude = self.spectrum(grey)
        inputs = {side: standardise(magnitude, side) for side in dict.fromkeys(self.sides)}
        return tuple(head(inputs[side]) for head, side in zip(self.heads, self.sides, strict=True))


class NetworkBranch(nn.Module):
    """Crops and the spectrum's features to the probability of FAKE [N, 1] and the evidence [N, 7, 7]."""

    def __init__(self, network: HybridNetwork):
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor, fft: Tensor) -> tuple[Tensor, Tensor]:
        explanation = explain(self.network, pictures(crops), fft)
        return explanation.logits.softmax(dim=1)[:, 1:], explanation.evidence
