"""An ensemble's steps as bare ONNX Runtime sessions: what serving is compared with.

Imports numpy at most, so that it runs in the Python that serves, beside the backend's own modules.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

Tensors = dict[str, np.ndarray]


@dataclass(frozen=True)
class Step:
    """One model of an ensemble: its tensors' names to the ensemble's."""

    model: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class Wiring:
    """An ensemble's one input, its outputs and its steps."""

    input: str
    outputs: Sequence[str]
    steps: Sequence[Step]


class BareEnsemble:
    """Runs the steps by `sessions` (a model's name to its session); those that don't depend on each other run one
    after another or, with `parallel`, side by side."""

    def __init__(self, wiring: Wiring, sessions: Mapping[str, Any], parallel: bool):
        self.wiring = wiring
        self.sessions = sessions
        # Callers share the workers: enough for each of them to run its branches at once.
        self.workers = ThreadPoolExecutor(32 * len(sessions)) if parallel else None

    def __call__(self, crops: np.ndarray) -> bool:
        """Whether crops [N, 224, 224, 3] uint8 were answered."""
        return self.tensors(crops).keys() >= set(self.wiring.outputs)

    def tensors(self, crops: np.ndarray) -> Tensors:
        """Every tensor of the ensemble, the inner ones too, by the name it has there."""
        tensors = {self.wiring.input: crops}
        waiting = list(self.wiring.steps)
        while waiting:
            ready = [step for step in waiting if set(step.inputs.values()) <= tensors.keys()]
            if not ready:
                raise ValueError(f"The steps {[step.model for step in waiting]} find no inputs: check the wiring.")
            waiting = [step for step in waiting if step not in ready]
            run_all = self.workers.map if self.workers else map
            for outputs in list(run_all(lambda step: self._run(step, dict(tensors)), ready)):
                tensors.update(outputs)
        return tensors

    def _run(self, step: Step, tensors: Tensors) -> Tensors:
        feeds = {name: tensors[source] for name, source in step.inputs.items()}
        values = self.sessions[step.model].run(list(step.outputs), feeds)
        return dict(zip(step.outputs.values(), values, strict=True))
