"""python -m deepfake_training.peers DATA --output FOLDER: two simple detectors of our own making, to compare with.

They learn from the same face crops as our networks and are judged by the same pictures: a logistic regression on the
spectrum, and a network of MesoNet's size. Their scores are joined to scores.csv in the folder, and the AUC of each
source is printed with its 95 % interval: of groups that are held out, or of --split's rows, or of sources left out.
"""

import argparse
import logging
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from deepfake_contract.errors import DeepfakeError, UsageError

from deepfake_training.crops import Crops, cut_crops
from deepfake_training.data import TRAIN, read_labelled, read_training
from deepfake_training.face_search import served_faces
from deepfake_training.mesonet import mesonet_scores, train_mesonet
from deepfake_training.plans import Run
from deepfake_training.recipes import HELD_OUT_SHARE, MIXTURES, PROFILES
from deepfake_training.scores import HELD_OUT, LEFT_OUT, SCORES_FILE, Score, figures, join_scores, scores_of
from deepfake_training.spectrum_peer import Spectra, fit_spectrum, spectrum_scores
from deepfake_training.splits import hold_out, leave_out, sources_with_both
from deepfake_training.subsets import ALL
from deepfake_training.train import CACHE

SPECTRUM, MESONET = "spectrum_peer", "mesonet_peer"
PICTURES = 12_000  # that the network sees
Answer = Callable[[Crops], np.ndarray]  # N crops to their probabilities of FAKE, float64 [N]
Peer = Callable[[Crops], Answer]  # learns from crops


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)
    _check(options)
    try:
        policy = PROFILES["lite"].policy
        learn = cut_crops(read_training(options.data.resolve()), served_faces(None), policy, options.work)
        split = None
        if options.split:
            rows = read_labelled(options.data.resolve(), options.split)
            split = options.split, cut_crops(rows, served_faces(None), policy, options.work)
        options.output.mkdir(parents=True, exist_ok=True)
        known = sources_with_both(learn.samples)
        chosen = peers(options.pictures or PICTURES, options.seed)
        for without in known if options.without == ALL else [options.without]:
            for name in options.peer or chosen:
                scores = judged(Run(name, without), chosen[name], learn, options.seed, split)
                print("\n".join(figures(scores)), flush=True)
                join_scores(options.output / SCORES_FILE, scores)
    except KeyboardInterrupt:
        print(f"Stopped; {SCORES_FILE} has the peers that were done.", file=sys.stderr)
        return 130
    return 0


def peers(pictures: int, seed: int) -> dict[str, Peer]:
    """By name; the network sees so many pictures."""
    spectra = Spectra()

    def spectrum(learn: Crops) -> Answer:
        model = fit_spectrum(spectra.of(learn), learn.samples)
        return lambda asked: spectrum_scores(model, spectra.of(asked))

    def network(learn: Crops) -> Answer:
        return partial(mesonet_scores, train_mesonet(learn, MIXTURES["labelled"], pictures, seed))

    return {SPECTRUM: spectrum, MESONET: network}


def judged(run: Run, peer: Peer, shown: Crops, seed: int, split: tuple[str, Crops] | None = None) -> list[Score]:
    """The scores of a peer that learnt from all groups but those held out: of these; or of a split, given by its name
    and crops; or, in a run without a source, of that source's pictures.

    It learns from sources that have both classes, as any network that makes no fakes does.
    """
    learn, asked = hold_out(shown.samples, HELD_OUT_SHARE, seed)
    part = HELD_OUT
    if run.without:
        learn, _, asked = leave_out(run.without, learn, asked)
        part = LEFT_OUT
    known = sources_with_both(learn)
    if not known:
        raise UsageError("There is no source with both reals and fakes to learn from.")
    if not asked:
        lack = f"has nothing of the source {run.without}" if run.without else "has no group small enough to hold out"
        raise UsageError(f"There is nothing to judge by: DATA {lack}.")
    answer = peer(shown.of([sample for sample in learn if sample.source in known]))
    part, judging = split or (part, shown.of(asked))
    return scores_of(run, part, judging.samples, answer(judging))


def _check(options: argparse.Namespace) -> None:
    if options.split and options.data.is_dir():
        raise UsageError("--split needs a manifest: of a folder's pictures all are learnt from.")
    if options.split == TRAIN:
        raise UsageError(f"The split {TRAIN} is learnt from: leave --split out to judge by its held-out groups.")
    if options.pictures is not None and options.pictures < 1:
        raise UsageError(f"--pictures must be at least 1, but is {options.pictures}.")
    if options.pictures and options.peer and MESONET not in options.peer:
        raise UsageError(f"--pictures is for {MESONET}, which --peer leaves out: give one of them.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deepfake_training.peers",
        description=(__doc__ or "").partition(": ")[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("data", type=Path, metavar="DATA", help="as `deepfake train` takes it")
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="folder for scores.csv")
    judged_by = parser.add_mutually_exclusive_group()
    judged_by.add_argument(
        "--without", metavar="SOURCE", help="learn nothing from this source, and score it; all: each in turn"
    )
    judged_by.add_argument("--split", help="score the manifest's rows of this split, rather than held-out groups")
    parser.add_argument(
        "--peer", choices=(SPECTRUM, MESONET), action="append", help="only this one; may be given again"
    )
    parser.add_argument("--pictures", type=int, metavar="N", help=f"how many the network sees ({PICTURES})")
    parser.add_argument("--work", type=Path, default=CACHE, help="folder of face crops (%(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="decides what is held out, as in training (%(default)s)")
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except DeepfakeError as error:
        sys.exit(str(error))
