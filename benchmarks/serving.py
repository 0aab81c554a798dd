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
from pathlib import Path

import onnxruntime
from bare import BareEnsemble
from deepfake_client.embedded import embedded_triton
from rates import Run, crops_per_second, random_crops
from rich.console import Console
from rich.table import Table
from served import ServedEnsemble, read_wiring

ROOT = Path(__file__).resolve().parent.parent
GOAL = 0.9  # of the best bare setting


def bare_ensemble(repository: Path, threads: int, parallel: bool) -> BareEnsemble:
    wiring = read_wiring(repository)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    sessions = {
        step.model: onnxruntime.InferenceSession(
            repository / step.model / "1" / "model.onnx", options, providers=["CPUExecutionProvider"]
        )
        for step in wiring.steps
    }
    return BareEnsemble(wiring, sessions, parallel)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--repository", type=Path, default=ROOT / "model_repository")
    parser.add_argument("--batch", type=int, default=8, help="crops a request")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each setting in each round")
    options = parser.parse_args()
    crops = random_crops(options.batch)

    with embedded_triton(options.repository) as address:
        settings: dict[tuple[str, int], Run] = {}
        for threads, parallel in itertools.product((1, 2), (False, True)):
            name = f"bare, {threads} thread{'s' * (threads > 1)}, networks {'in parallel' if parallel else 'in turn'}"
            bare = bare_ensemble(options.repository, threads, parallel)
            settings |= {(name, callers): bare for callers in (1, 4)}
        served = ServedEnsemble(address, list(bare.wiring.outputs))
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
