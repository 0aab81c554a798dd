"""python -m deepfake_training.trial DATA: one network trained for a short while, to compare ways of training.

With --without, the figures of the source left out tell what carries over to fakes of a kind never seen.
"""

import argparse
import logging
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from deepfake_networks.network import HybridNetwork
from sklearn.metrics import roc_auc_score

from deepfake_training import loss
from deepfake_training.crops import cut_crops
from deepfake_training.data import Sample, hold_out, read_samples
from deepfake_training.face_search import served_faces
from deepfake_training.left_out import leave_out
from deepfake_training.network_training import probabilities, train_member
from deepfake_training.pretrained import pretrained_network
from deepfake_training.recipes import DIETS, HELD_OUT_SHARE, PROFILES, Recipe
from deepfake_training.train import CACHE


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m deepfake_training.trial", description=__doc__)
    parser.add_argument("data", type=Path, metavar="DATA", help="as `deepfake train` takes it")
    parser.add_argument("--diet", choices=DIETS, default="labelled")
    parser.add_argument("--pictures", type=int, default=24_000, help="how many the network sees (%(default)s)")
    parser.add_argument("--learning-rate", type=float, default=3e-4)
    parser.add_argument("--without", metavar="SOURCE", help="learn nothing from this source, and look at it")
    parser.add_argument("--no-place", action="store_true", help="don't ask where pictures were manipulated")
    parser.add_argument("--no-fft", action="store_true", help="a network that never sees the spectrum")
    parser.add_argument("--work", type=Path, default=CACHE, help="folder of crops (%(default)s)")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)
    profile = PROFILES["lite"]
    samples = read_samples(options.data.resolve())
    shown = cut_crops(samples, served_faces(None), profile.policy, options.work)
    learn, held = hold_out(shown.samples, HELD_OUT_SHARE, options.seed)
    if options.without:
        learn, held, left_out = leave_out(options.without, learn, held)
        held += left_out
    if options.no_place:
        loss.PLACE_WEIGHT = 0.0
    torch.manual_seed(options.seed)
    network = pretrained_network(profile.members[0][0])
    if options.no_fft:
        blind(network)
    recipe = Recipe(DIETS[options.diet], options.pictures, options.learning_rate)
    started = time.monotonic()
    # A checkpoint would outlive the change of the code that is tried.
    with tempfile.TemporaryDirectory(prefix="deepfake-trial-") as scratch:
        network = train_member(network, shown.of(learn), recipe, Path(scratch), options.seed)
    spent = time.monotonic() - started
    answers = probabilities(network, shown.of(held).pictures)
    print(" ".join(arguments), f"{spent / 60:.0f} min,", figures(held, answers))
    return 0


def blind(network: HybridNetwork) -> None:
    """Gives the network nothing but zeros for a spectrum."""
    features = network.spec.fft_width
    network.fft_features = lambda pictures: pictures.new_zeros(len(pictures), features)  # type: ignore[method-assign]


def figures(samples: list[Sample], answers: np.ndarray) -> str:
    """AUC of each source."""
    fake, source = (np.array([getattr(sample, name) for sample in samples]) for name in ("fake", "source"))
    return ", ".join(
        f"{name} {roc_auc_score(fake[source == name], answers[source == name]):.3f}" for name in sorted(set(source))
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
