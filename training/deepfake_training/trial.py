"""python -m deepfake_training.trial DATA: one network trained for a short while, to compare ways of training.

With --without, the figures of the source left out tell what carries over to fakes of a kind never seen.
"""

import argparse
import logging
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from deepfake_contract.description import NetworkSpec
from sklearn.metrics import roc_auc_score

from deepfake_training.crops import cut_crops
from deepfake_training.data import Sample, read_training
from deepfake_training.face_search import served_faces
from deepfake_training.network_training import train_network
from deepfake_training.pretrained import pretrained_network
from deepfake_training.probabilities import probabilities
from deepfake_training.recipes import HELD_OUT_SHARE, MIXTURES, PROFILES, Recipe
from deepfake_training.splits import hold_out, leave_out
from deepfake_training.train import CACHE


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m deepfake_training.trial", description=__doc__)
    parser.add_argument("data", type=Path, metavar="DATA", help="as `deepfake train` takes it")
    parser.add_argument("--mixture", choices=MIXTURES, default="labelled", help="training mixture (%(default)s)")
    parser.add_argument("--pictures", type=int, default=24_000, help="how many the network sees (%(default)s)")
    parser.add_argument("--learning-rate", type=float, default=3e-4)
    parser.add_argument("--without", metavar="SOURCE", help="learn nothing from this source, and score it")
    parser.add_argument("--no-localisation", action="store_true", help="don't ask where pictures were manipulated")
    parser.add_argument("--no-fft", action="store_true", help="a network without an FFT head")
    parser.add_argument("--work", type=Path, default=CACHE, help="folder of face crops (%(default)s)")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)
    profile = PROFILES["lite"]
    spec, recipe = tried(options)
    shown = cut_crops(read_training(options.data.resolve()), served_faces(None), profile.policy, options.work)
    learn, held = hold_out(shown.samples, HELD_OUT_SHARE, options.seed)
    if options.without:
        learn, held, left_out = leave_out(options.without, learn, held)
        held += left_out
    torch.manual_seed(options.seed)
    network = pretrained_network(spec)
    started = time.monotonic()
    # A checkpoint would outlive the change of the code that is tried.
    with tempfile.TemporaryDirectory(prefix="deepfake-trial-") as scratch:
        network = train_network(network, shown.of(learn), recipe, Path(scratch), options.seed)
    spent = time.monotonic() - started
    judged = shown.of(held)
    y_score = probabilities(network, judged.pictures, judged.face_sides)
    print(" ".join(arguments), f"{spent / 60:.0f} min,", figures(judged.samples, y_score))
    return 0


def tried(options: argparse.Namespace) -> tuple[NetworkSpec, Recipe]:
    """The network and the recipe that the options ask for: lite's first, but for what they say."""
    spec = PROFILES["lite"].networks[0][0]
    recipe = Recipe(MIXTURES[options.mixture], options.pictures, options.learning_rate)
    if options.no_localisation:
        recipe = replace(recipe, localisation_weight=0.0)
    return (replace(spec, fft=None) if options.no_fft else spec), recipe


def figures(samples: list[Sample], y_score: np.ndarray) -> str:
    """AUC of each source."""
    y_true, source = (np.array([getattr(sample, name) for sample in samples]) for name in ("fake", "source"))
    return ", ".join(
        f"{name} {roc_auc_score(y_true[source == name], y_score[source == name]):.3f}" for name in sorted(set(source))
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
