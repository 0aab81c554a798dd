"""What rounding alone makes of a network's answers, so that no correct graph is refused for it.

In some networks the last bit of an input grows from block to block until the answer follows it. There PyTorch disagrees
with itself: in float64, and in float32 on pictures changed in their last bit, several times, as each other order of
the same sums would change them.
"""

import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from deepfake_networks.network import HybridNetwork
from torch import Tensor

from deepfake_export.graphs import pictures
from deepfake_export.reference import evidence_and_hidden

SAMPLES = 5  # in float32; any one may come close to float64 by chance
REACH = 10.0  # times PyTorch's own largest difference: a correct graph is farther off once in some thousands
KINK_REACH = 4.0  # times the root mean square of what rounding makes of the hidden units
LAST_BIT = 2.0**-23  # of a float32, relative
LEAST_PROBABILITY = 1e-7  # told apart from 0, and from 1, in float32

# For some crops, their faces' sides, and what a graph answered: what is right, in float64, and whether rounding
# explains the difference.
Recheck = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Rounding:
    """In float64, the maps [N, 7, 7] and the margins [N]; `map_noise` and `margin_noise` [N]: float32's largest
    difference from them; `at_kink` [N]: whether a hidden unit is so near zero that rounding decides on which side it
    is, so that the map is one of two."""

    maps: np.ndarray
    margins: np.ndarray
    map_noise: np.ndarray
    margin_noise: np.ndarray
    at_kink: np.ndarray


def map_recheck(networks: Iterable[HybridNetwork], weights: Sequence[float] = (1.0,)) -> Recheck:
    """For maps [N, 7, 7], in which each network's evidence counts by its weight: one network's, or the shared ones."""

    def recheck(crops: np.ndarray, sides: np.ndarray, answers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        parts = [measure_rounding(network, crops, sides) for network in networks]
        right = np.einsum("rnhw,r->nhw", [part.maps for part in parts], weights)
        noise = np.abs(weights) @ [part.map_noise for part in parts]
        near = np.abs(answers - right).max(axis=(1, 2)) <= REACH * noise  # false for a map with NaN
        return right, near | np.any([part.at_kink for part in parts], axis=0)

    return recheck


def probability_recheck(network: HybridNetwork) -> Recheck:
    """For a network's probabilities [N, 1]: by their margins, since noise of any size vanishes near 0 and 1."""

    def recheck(crops: np.ndarray, sides: np.ndarray, answers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = measure_rounding(network, crops, sides)
        right = torch.sigmoid(torch.from_numpy(found.margins)).numpy()[:, None]
        away = np.abs(_log_odds(answers) - _log_odds(right))[:, 0]
        return right, away <= REACH * found.margin_noise

    return recheck


def measure_rounding(network: HybridNetwork, crops: np.ndarray, face_sides: np.ndarray) -> Rounding:
    """What rounding makes of one network's answers to a few crops uint8 [N, side, side, 3], whose faces have sides [N,
    1]."""
    images, sides = pictures(torch.from_numpy(crops)), torch.from_numpy(face_sides)
    maps, hidden, margins = _explained(copy.deepcopy(network).double(), images.double(), sides.double())
    random = torch.Generator().manual_seed(0)
    samples = [_explained(network, _nudged(images, random), sides) for _ in range(SAMPLES)]
    of_maps, of_hidden, of_margins = zip(*samples, strict=True)
    noise = np.sqrt(np.mean((np.array(of_hidden) - hidden) ** 2, axis=(0, 2)))
    return Rounding(
        maps=maps,
        margins=margins,
        map_noise=np.abs(np.array(of_maps) - maps).max(axis=(0, 2, 3)),
        margin_noise=np.abs(np.array(of_margins) - margins).max(axis=0),
        at_kink=np.abs(hidden).min(axis=1) <= KINK_REACH * noise,
    )


def _explained(network: HybridNetwork, images: Tensor, sides: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Evidence, hidden units and margins, in double precision however they were computed."""
    evidence, hidden = evidence_and_hidden(network, images, sides)
    with torch.no_grad():
        logits = network.classifier[4](hidden.relu())
    return evidence.double().numpy(), hidden.double().numpy(), (logits[:, 1] - logits[:, 0]).double().numpy()


def _nudged(images: Tensor, random: torch.Generator) -> Tensor:
    signs = torch.randint(0, 2, images.shape, generator=random) * 2 - 1
    return images * (1 + LAST_BIT * signs)


def _log_odds(probabilities: np.ndarray) -> np.ndarray:
    kept = np.clip(probabilities.astype(np.float64), LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return np.log(kept / (1 - kept))
