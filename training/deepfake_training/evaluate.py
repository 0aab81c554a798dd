"""python -m deepfake_training.evaluate MANIFEST BUNDLE: how well a bundle tells the val pictures apart."""

import argparse
import logging
import sys
from pathlib import Path

import numpy as np
from deepfake_client.errors import UsageError
from deepfake_detector.bundle import Bundle
from rich.console import Console
from rich.table import Table
from sklearn.metrics import roc_auc_score

from deepfake_training.data import Sample, read_manifest
from deepfake_training.faces import FindFace, cut_faces, served_faces
from deepfake_training.member import probabilities
from deepfake_training.train import CACHE


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m deepfake_training.evaluate", description=__doc__)
    parser.add_argument("manifest", type=Path, metavar="MANIFEST")
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="one that looks at faces")
    parser.add_argument("--work", type=Path, default=CACHE, help="folder of crops (%(default)s)")
    parser.add_argument("--repository", type=Path, help="model repository with the face detector (the clone's)")
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    bundle, samples = Bundle.load(options.bundle), read_manifest(options.manifest, "val")
    with served_faces(options.repository) as find_face:
        answers = evaluate(bundle, samples, find_face, options.work)
    Console().print(report(samples, answers, list(bundle.networks), bundle.policy.threshold))
    return 0


def evaluate(bundle: Bundle, samples: list[Sample], find_face: FindFace, work: Path) -> np.ndarray:
    """Probabilities of FAKE float64 [N, 4] of the three networks and the stacking.

    A picture without a face counts as wrong as can be, in all four: a real as 1, a fake as 0.
    """
    if bundle.policy.crop != "face":
        raise UsageError("This bundle looks at whole frames; only bundles that look at faces are evaluated here.")
    answers = np.array([[0.0 if sample.fake else 1.0] * (len(bundle.networks) + 1) for sample in samples])
    shown, crops = cut_faces(samples, find_face, bundle.policy.face_margin, work)
    networks = np.stack([probabilities(network, crops) for network in bundle.networks.values()], axis=1)
    place = {sample.path: index for index, sample in enumerate(samples)}
    answers[[place[sample.path] for sample in shown]] = np.column_stack(
        [networks, bundle.stacking.probability(networks)]
    )
    return answers


def report(samples: list[Sample], answers: np.ndarray, roles: list[str], threshold: float) -> Table:
    """A row a source, and all of them together."""
    fake = np.array([sample.fake for sample in samples])
    source = np.array([sample.source for sample in samples])
    table = Table(
        "source", "pictures", *(f"AUC {role}" for role in [*roles, "ensemble"]), "accuracy", "false positives"
    )
    for name in [*sorted(set(source)), "all"]:
        rows = np.full(len(source), True) if name == "all" else source == name
        called = answers[rows, -1] >= threshold
        table.add_row(
            name,
            str(rows.sum()),
            *(f"{roc_auc_score(fake[rows], column):.3f}" for column in answers[rows].T),
            f"{(called == fake[rows]).mean():.3f}",
            f"{called[~fake[rows]].mean():.3f}",
        )
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
