"""Bare sessions in the Python that serves, opened by the backend's own code; answers JSON lines on standard input.

Run by bare_host.py. Each request names what to do: "open" an ensemble, "answer" crops into a file, measure a "rate",
"close". An error is answered as {"error": …} and ends nothing.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from bare import BareEnsemble, Step, Wiring
from rates import crops_per_second, random_crops

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "serving/deepfake_serving/backends/onnxruntime"))
from options import read_options
from session import open_session

Ensembles = dict[str, dict[bool, BareEnsemble]]


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not pass for an answer
    ensembles: Ensembles = {}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = ACTIONS[request.pop("do")](ensembles, **request)
        except Exception as cause:  # whatever it is, the asking side decides
            answer = {"error": f"{type(cause).__name__}: {cause}"}
        print(json.dumps(answer), file=answers, flush=True)


def open_ensemble(
    ensembles: Ensembles, name: str, repository: str, wiring: dict, configurations: dict[str, dict], gpu: int | None
) -> dict[str, Any]:
    """A session each, as the backend would open it; answers the first provider that each reports."""
    steps = [Step(**each) for each in wiring["steps"]]
    sessions = {}
    for step in steps:
        path = Path(repository) / step.model / "1" / "model.onnx"
        options = read_options(configurations[step.model])
        sessions[step.model], _ = open_session(path, options, gpu, required=gpu is not None)
    made = Wiring(wiring["input"], wiring["outputs"], steps)
    ensembles[name] = {parallel: BareEnsemble(made, sessions, parallel) for parallel in (False, True)}
    return {"providers": {model: session.get_providers()[0] for model, session in sessions.items()}}


def answer_crops(ensembles: Ensembles, name: str, crops: str, output: str, batch: int) -> dict[str, Any]:
    """Every tensor of the ensemble for the crops in an .npy, into an .npz."""
    given = np.load(crops)
    parts = [ensembles[name][True].tensors(given[start : start + batch]) for start in range(0, len(given), batch)]
    np.savez(output, **{key: np.concatenate([part[key] for part in parts]) for key in parts[0]})
    return {}


def measure_rate(
    ensembles: Ensembles, name: str, parallel: bool, batch: int, callers: int, seconds: float
) -> dict[str, Any]:
    return {"rate": crops_per_second(ensembles[name][parallel], random_crops(batch), callers, seconds)}


def time_call(ensembles: Ensembles, name: str, parallel: bool, batch: int) -> dict[str, Any]:
    """Seconds of one call, after one that is not counted."""
    crops = random_crops(batch)
    ensembles[name][parallel](crops)
    start = time.perf_counter()
    ensembles[name][parallel](crops)
    return {"seconds": time.perf_counter() - start}


def close(ensembles: Ensembles, name: str) -> dict[str, Any]:
    del ensembles[name]
    return {}


ACTIONS = {
    "open": open_ensemble,
    "answer": answer_crops,
    "rate": measure_rate,
    "time": time_call,
    "close": close,
}

if __name__ == "__main__":
    main()
