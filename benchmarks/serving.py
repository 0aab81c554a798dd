"""How much of ONNX Runtime's speed is left when Triton serves the ensemble.

    .environments/training/bin/python benchmarks/serving.py --repository model_repository

Crops a second of the served `deepfake_ensemble` over gRPC, against the same graphs in bare ONNX Runtime sessions of
this process, wired as the ensemble's configuration says. Every setting has its turn in every round, so that a machine
that slows down slows all of them; the medians are compared. A rejected request counts as no crops.
"""

import argparse
import itertools
import statistics
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import tritonclient.grpc as triton
from deepfake_client.embedded import embedded_triton
from google.protobuf import text_format
from rich.console import Console
from rich.table import Table
from tritonclient.grpc.model_config_pb2 import ModelConfig
from tritonclient.utils import InferenceServerException

ROOT = Path(__file__).resolve().parent.parent
ENSEMBLE = "deepfake_ensemble"
SIDE = 224  # pixels
GOAL = 0.9  # of the best bare setting

Run = Callable[[np.ndarray], bool]


class BareEnsemble:
    """The ensemble's steps as ONNX Runtime sessions; independent steps run one after another or side by side."""

    def __init__(self, repository: Path, threads: int, parallel: bool):
        self.config = text_format.Parse((repository / ENSEMBLE / "config.pbtxt").read_text(), ModelConfig())
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.sessions = {
            step.model_name: onnxruntime.InferenceSession(
                repository / step.model_name / "1" / "model.onnx", options, providers=["CPUExecutionProvider"]
            )
            for step in self.config.ensemble_scheduling.step
        }
        self.workers = ThreadPoolExecutor(len(self.sessions)) if parallel else None

    def __call__(self, crops: np.ndarray) -> bool:
        tensors = {self.config.input[0].name: crops}
        waiting = list(self.config.ensemble_scheduling.step)
        while waiting:
            ready = [step for step in waiting if set(step.input_map.values()) <= tensors.keys()]
            waiting = [step for step in waiting if step not in ready]
            run_all = self.workers.map if self.workers else map
            for outputs in list(run_all(lambda step: self._run(step, dict(tensors)), ready)):
                tensors.update(outputs)
        assert all(output.name in tensors for output in self.config.output)
        return True

    def _run(self, step, tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        feeds = {name: tensors[source] for name, source in step.input_map.items()}
        names = list(step.output_map)
        values = self.sessions[step.model_name].run(names, feeds)
        return {step.output_map[name]: value for name, value in zip(names, values, strict=True)}


class ServedEnsemble:
    def __init__(self, address: str, outputs: list[str]):
        self.client = triton.InferenceServerClient(address)
        self.outputs = outputs

    def __call__(self, crops: np.ndarray) -> bool:
        tensor = triton.InferInput("CROPS", crops.shape, "UINT8")
        tensor.set_data_from_numpy(crops)
        try:
            result = self.client.infer(
                ENSEMBLE, [tensor], outputs=[triton.InferRequestedOutput(name) for name in self.outputs]
            )
        except InferenceServerException:
            return False
        return all(result.as_numpy(name) is not None for name in self.outputs)


def crops_per_second(run: Run, crops: np.ndarray, callers: int, seconds: float) -> float:
    """Callers ask again and again until the time is over; all that was begun is waited for and counted."""
    answered = itertools.count()
    start = time.perf_counter()

    def call_until_the_end() -> None:
        while time.perf_counter() - start < seconds:
            if run(crops):
                next(answered)

    threads = [threading.Thread(target=call_until_the_end) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return next(answered) * len(crops) / (time.perf_counter() - start)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--repository", type=Path, default=ROOT / "model_repository")
    parser.add_argument("--batch", type=int, default=8, help="crops a request")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each setting in each round")
    options = parser.parse_args()
    crops = np.random.default_rng(0).integers(0, 256, (options.batch, SIDE, SIDE, 3), dtype=np.uint8)

    with embedded_triton(options.repository) as address:
        settings: dict[tuple[str, int], Run] = {}
        for threads, parallel in itertools.product((1, 2), (False, True)):
            name = f"bare, {threads} thread{'s' * (threads > 1)}, networks {'in parallel' if parallel else 'in turn'}"
            bare = BareEnsemble(options.repository, threads, parallel)
            settings |= {(name, callers): bare for callers in (1, 4)}
        served = ServedEnsemble(address, [output.name for output in bare.config.output])
        settings |= {("served", callers): served for callers in (1, 2, 4)}
        for run in settings.values():
            run(crops)  # warm-up
        speeds: dict[tuple[str, int], list[float]] = {setting: [] for setting in settings}
        for number in range(options.rounds):
            for setting, run in settings.items():
                speeds[setting].append(crops_per_second(run, crops, setting[1], options.seconds))
            print(f"round {number + 1} of {options.rounds} done", file=sys.stderr)
    return report(speeds)


def report(speeds: dict[tuple[str, int], list[float]]) -> int:
    medians = {setting: statistics.median(values) for setting, values in speeds.items()}
    best = max((setting for setting in medians if setting[0] != "served"), key=medians.__getitem__)
    table = Table("setting", "concurrency", "crops/s: median", "least", "most", "of best bare")
    for setting, values in speeds.items():
        ratio = f"{medians[setting] / medians[best]:.2f}"
        spread = (f"{value:.1f}" for value in (medians[setting], min(values), max(values)))
        table.add_row(setting[0], str(setting[1]), *spread, ratio)
    Console().print(table)
    ratio = medians[("served", 4)] / medians[best]
    print(f"served at concurrency 4: {ratio:.2f} of the best bare setting ({best[0]}, {best[1]} callers); goal {GOAL}")
    return 0 if ratio >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
