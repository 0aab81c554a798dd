"""A bundle's networks in PyTorch, asked as a served ensemble is."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from deepfake_client.analysis.served_bundle import ServedBundle, parse_bundle
from deepfake_client.analysis.triton import Answers, Candidates, Connection
from deepfake_contract.errors import BundleError, UsageError
from deepfake_networks.bundle import Bundle

from deepfake_training.network_training import probabilities

BATCH_SIZE = 8  # crops a request


class TorchNetworks:
    """Stands where the client's pipeline has its connection; only faces are found by a Triton."""

    def __init__(self, folder: Path, connect: Callable[[], Connection]):
        try:
            self._bundle = Bundle.load(folder)
        except BundleError as cause:
            raise UsageError(str(cause)) from cause
        self._connect = connect

    def bundle(self) -> ServedBundle:
        return parse_bundle(json.dumps(self._bundle.description()), BATCH_SIZE)

    def face_candidates(self, picture: np.ndarray) -> Candidates:
        """Proposals for an RGB uint8 [H, W, 3] picture."""
        triton = self._connect()
        try:
            return triton.face_candidates(picture)
        finally:
            triton.close()

    @torch.inference_mode()
    def ask_networks(self, crops: np.ndarray, heatmaps: bool = False) -> Answers:
        """The stacking's answer for RGB uint8 [N, 224, 224, 3] crops; there are no heatmaps."""
        answers = np.stack([probabilities(network, crops) for network in self._bundle.networks.values()], axis=1)
        return Answers(self._bundle.stacking.probability(answers), answers, None)

    def close(self) -> None:
        """Nothing is held between questions."""
