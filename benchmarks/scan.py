"""A whole clip, file to verdict, against the original's recipe on the same frames and weights.

    .environments/training/bin/python tests/base_bundle.py BUNDLE
    scripts/deepfake export BUNDLE --output REPOSITORY
    .environments/training/bin/python benchmarks/scan.py CLIP --bundle BUNDLE --repository REPOSITORY

The recipe is PyTorch eager, one frame at a time, the three networks in turn. Both are loaded before the clock starts
and take turns, so that a machine that slows down slows both.
"""

import argparse
import statistics
import sys
import time
from dataclasses import asdict
from pathlib import Path

from deepfake_client import Detector
from deepfake_client.embedded import embedded_triton
from deepfake_client.results import Result
from recipe import Recipe
from rich.console import Console
from rich.table import Table

TOLERANCE = 1e-4  # between the two verdicts' probabilities


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("clip", type=Path)
    parser.add_argument("--bundle", type=Path, required=True, help="the original's five files")
    parser.add_argument("--repository", type=Path, required=True, help="what was exported from them")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    recipe = Recipe(options.bundle)
    seconds: dict[str, list[float]] = {"served": [], "recipe": []}
    results: list[Result] = []
    with embedded_triton(options.repository) as address, Detector(address) as detector:
        detector.analyze(options.clip, frames=8)  # warm-up
        for _ in range(options.rounds):
            start = time.perf_counter()
            results.append(detector.analyze(options.clip))
            seconds["served"].append(time.perf_counter() - start)
            start = time.perf_counter()
            expected = recipe.clip(options.clip)
            seconds["recipe"].append(time.perf_counter() - start)
    report(seconds, results)
    difference = max(abs(result.confidence - expected) for result in results)
    print(f"largest difference of probability: {difference:.1e} (at most {TOLERANCE:.0e})")
    return 0 if difference <= TOLERANCE else 1


def report(seconds: dict[str, list[float]], results: list[Result]) -> None:
    table = Table("file to verdict", "seconds: median", "least", "most")
    for name, values in seconds.items():
        table.add_row(name, *(f"{value:.2f}" for value in (statistics.median(values), min(values), max(values))))
    Console().print(table)
    ratio = statistics.median(theirs / ours for ours, theirs in zip(seconds["served"], seconds["recipe"], strict=True))
    print(f"recipe / served, median of {len(results)} pairs: {ratio:.2f}")
    stages = (
        f"{stage} {statistics.median(asdict(each.timing_s)[stage] for each in results):.2f}"
        for stage in asdict(results[0].timing_s)
    )
    print(f"where the served time goes, seconds, stages overlapping: {', '.join(stages)}")


if __name__ == "__main__":
    sys.exit(main())
