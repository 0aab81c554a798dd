"""Runs a written repository in bare ONNX Runtime sessions, wired as its configurations say."""

from pathlib import Path

import numpy as np
import onnxruntime
from deepfake_contract.tensors import ENSEMBLE
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as triton

Tensors = dict[str, np.ndarray]


def read_configuration(repository: Path, model: str) -> triton.ModelConfig:
    text = (repository / model / "config.pbtxt").read_text(encoding="utf-8")
    return text_format.Parse(text, triton.ModelConfig())


class Sessions:
    """One session per model of the repository, on the CPU; `threads` 0 leaves the number to ONNX Runtime."""

    def __init__(self, repository: Path, threads: int = 0):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.sessions = {
            path.parts[-3]: onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
            for path in sorted(repository.glob("*/1/model.onnx"))
        }
        self.steps = read_configuration(repository, ENSEMBLE).ensemble_scheduling.step

    def run(self, model: str, inputs: Tensors) -> Tensors:
        """One model's outputs by name."""
        session = self.sessions[model]
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, inputs), strict=True))

    def run_ensemble(self, tensors: Tensors) -> Tensors:
        """Every tensor of the ensemble, the inner ones too, by the name it has there."""
        tensors = dict(tensors)
        for step in self.steps:  # written in an order in which each finds its inputs
            outputs = self.run(step.model_name, {name: tensors[ours] for name, ours in step.input_map.items()})
            tensors |= {ours: outputs[name] for name, ours in step.output_map.items()}
        return tensors
