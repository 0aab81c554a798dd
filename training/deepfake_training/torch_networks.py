"""A bundle's networks in PyTorch, asked as a served ensemble is."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from deepfake_client.analysis.served_bundle import ServedBundle
from deepfake_client.analysis.triton import Answers, Candidates, Connection
from deepfake_networks.bundle import Bundle

from deepfake_training.probabilities import probabilities

BATCH_SIZE = 8  # crops a request


class TorchNetworks:
    """Stands where the client's pipeline has its connection; only faces are detected by a Triton. BundleError where the
    folder holds no whole bundle."""

    def __init__(self, folder: Path, connect: Callable[[], Connection]):
        self._bundle = Bundle.load(folder)
        self._connect = connect

    def bundle(self) -> ServedBundle:
        return ServedBundle(self._bundle.description, BATCH_SIZE)

    def face_candidates(self, picture: np.ndarray) -> Candidates:
        """Proposals for an RGB uint8 [H, W, 3] picture."""
        triton = self._connect()
        try:
            return triton.face_candidates(picture)
        finally:
            triton.close()

    def ask_networks(self, crops: np.ndarray, heatmaps: bool = False, face_sides: np.ndarray | None = None) -> Answers:
        """The stacking's answer for RGB uint8 [N, S, S, 3] crops; there are no heatmaps."""
        given = [probabilities(network, crops, face_sides) for network in self._bundle.networks.values()]
        stacking = self._bundle.description.stacking
        logits = sum(stacking.terms(given), stacking.intercept)
        return Answers(1 / (1 + np.exp(-logits)), np.stack(given, axis=1), None)

    def close(self) -> None:
        """Nothing is held between questions."""
