"""Asks for bare sessions in the Python that serves: the same ONNX Runtime, opened by the backend's own code."""

import json
import subprocess
import tempfile
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from bare import Tensors
from deepfake_export.sessions import read_configuration
from deepfake_serving.environment import Environment
from deepfake_serving.launch import variables
from google.protobuf import json_format
from served import read_wiring

WORKER = Path(__file__).parent / "bare_worker.py"


class BareError(Exception):
    """What the worker could not do, in its words."""


class BareHost(AbstractContextManager):
    """A worker process that holds ensembles by name; on the GPU of number `gpu`, None for the CPU."""

    def __init__(self, environment: Environment, gpu: int | None):
        self.gpu = gpu
        self.folder = tempfile.TemporaryDirectory(prefix="deepfake-bare-")
        self.process = subprocess.Popen(
            [environment.folder / "bin" / "python3", WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=variables(environment, "cpu" if gpu is None else "gpu"),
        )

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.folder.cleanup()

    def open(self, name: str, repository: Path) -> dict[str, str]:
        """Opens a repository's ensemble, and answers the provider of each session."""
        wiring = read_wiring(repository)
        configurations = {
            step.model: json_format.MessageToDict(
                read_configuration(repository, step.model), preserving_proto_field_name=True
            )
            for step in wiring.steps
        }
        answer = self._ask(
            do="open",
            name=name,
            repository=str(repository),
            wiring=asdict(wiring),
            configurations=configurations,
            gpu=self.gpu,
        )
        return answer["providers"]

    def answer(self, name: str, crops: np.ndarray, batch: int) -> Tensors:
        """Every tensor of the ensemble for crops [N, 224, 224, 3] uint8, asked in batches."""
        given, output = Path(self.folder.name) / "crops.npy", Path(self.folder.name) / "tensors.npz"
        np.save(given, crops)
        self._ask(do="answer", name=name, crops=str(given), output=str(output), batch=batch)
        with np.load(output) as tensors:
            return dict(tensors)

    def rate(self, name: str, parallel: bool, batch: int, callers: int, seconds: float) -> float:
        """Crops a second; the callers are threads of the worker."""
        return self._ask(do="rate", name=name, parallel=parallel, batch=batch, callers=callers, seconds=seconds)["rate"]

    def call_s(self, name: str, parallel: bool, batch: int) -> float:
        """Seconds of one call, after a first one."""
        return self._ask(do="time", name=name, parallel=parallel, batch=batch)["seconds"]

    def close(self, name: str) -> None:
        """Gives the ensemble's memory back."""
        self._ask(do="close", name=name)

    def _ask(self, **request: Any) -> dict[str, Any]:
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except OSError as cause:
            raise BareError(f"The worker of the bare sessions is gone: {cause}") from cause
        if not line:
            raise BareError(f"The worker of the bare sessions ended with code {self.process.wait()}.")
        answer = json.loads(line)
        if "error" in answer:
            raise BareError(answer["error"])
        return answer
