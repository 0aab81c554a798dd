"""The ensemble as Triton serves it, and its configuration as the benchmarks read it."""

from pathlib import Path

import numpy as np
import tritonclient.grpc as triton
from bare import Step, Wiring
from deepfake_contract.tensors import ENSEMBLE
from deepfake_export.sessions import read_configuration
from tritonclient.utils import InferenceServerException


class ServedEnsemble:
    """Asks for every output over gRPC; `address` is host:port. A request that is refused counts as no answer."""

    def __init__(self, address: str, outputs: list[str]):
        self.client = triton.InferenceServerClient(address)
        self.outputs = outputs

    def __call__(self, crops: np.ndarray) -> bool:
        """Whether crops [N, 224, 224, 3] uint8 were answered."""
        try:
            return self.tensors(crops).keys() == set(self.outputs)
        except InferenceServerException:
            return False

    def tensors(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        """The outputs by name; InferenceServerException where the request is refused."""
        tensor = triton.InferInput("CROPS", crops.shape, "UINT8")
        tensor.set_data_from_numpy(crops)
        wanted = [triton.InferRequestedOutput(name) for name in self.outputs]
        result = self.client.infer(ENSEMBLE, [tensor], outputs=wanted)
        return {name: result.as_numpy(name) for name in self.outputs}


def read_wiring(repository: Path) -> Wiring:
    """How the repository's ensemble joins its models."""
    config = read_configuration(repository, ENSEMBLE)
    steps = [
        Step(step.model_name, dict(step.input_map), dict(step.output_map)) for step in config.ensemble_scheduling.step
    ]
    return Wiring(config.input[0].name, [each.name for each in config.output], steps)
