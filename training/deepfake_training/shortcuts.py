"""python -m deepfake_training.shortcuts DATA: how well one number that looks at no face tells real from fake.

Whatever such a number tells in training pictures a network may learn in place of what a fake is, and it is wrong
elsewhere. The table has the AUC "for fake" of each number by source, of the pairs as a network sees them after pairing,
blending, evening and augmentation; .5 is nothing. Labelled fakes and those made from their reals stand apart.
* beyond .45 to .55; ** so is the whole 95 % interval, drawn by group, of 30 pictures of a class at least.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

import numpy as np
from deepfake_contract.errors import DeepfakeError, UsageError
from rich.console import Console
from rich.progress import track

from deepfake_training.batches import made_pair
from deepfake_training.crops import Crops, cut_crops
from deepfake_training.csv_file import write_csv
from deepfake_training.cues import Cues, cues
from deepfake_training.data import read_training
from deepfake_training.face_search import served_faces
from deepfake_training.figures import Interval, auc_interval
from deepfake_training.pairs import PairOrder, blendable
from deepfake_training.recipes import MIXTURES, PROFILES, Mixture
from deepfake_training.splits import raw_only
from deepfake_training.subsets import ALL
from deepfake_training.train import CACHE

HARMLESS = (0.45, 0.55)  # an AUC in here
FEWEST = 30  # pictures of a class: a bootstrap interval of fewer is too narrow
PAIRS_A_STEP = 16
LABELLED, MADE, BOTH = "labelled", "made", "both"


@dataclass(frozen=True)
class Look:
    """One picture as it is seen. `source` and `group` are its own, or those of its pair's real; `kind`: whether the
    pair's fake is LABELLED or MADE."""

    source: str
    group: str
    kind: str
    fake: bool
    cues: Cues


@dataclass(frozen=True)
class Baseline:
    """The AUC of one cue alone with its 95 % interval, by source (or ALL) and kind of fakes (LABELLED, MADE, BOTH);
    `reals` and `fakes` are how many pictures it is of."""

    source: str
    kind: str
    reals: int
    fakes: int
    cue: str
    auc: Interval

    @property
    def mark(self) -> str:
        """* where the AUC is beyond what is harmless, ** where the whole interval is."""
        low, high = HARMLESS
        if low <= self.auc.value <= high:
            return ""
        beyond = self.auc.low > high or self.auc.high < low
        return "**" if beyond and min(self.reals, self.fakes) >= FEWEST else "*"


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    if options.plain and options.pairs:
        raise UsageError("--pairs has no effect with --plain, which takes each picture once: leave one of them out.")
    if options.pairs is not None and options.pairs < 1:
        raise UsageError(f"--pairs must be at least 1, but is {options.pairs}.")
    try:
        samples = read_training(options.data.resolve())
        crops = cut_crops(samples, served_faces(None), PROFILES["lite"].policy, options.work)
        if options.plain:
            looks, number = looks_as_they_are(crops), len(crops.samples)
        else:
            number = 2 * (options.pairs or 2400)
            looks = islice(looks_of_pairs(crops, MIXTURES[options.mixture or "labelled"], options.seed), number)
        shown = track(looks, "measuring pictures", number, transient=True, console=Console(stderr=True))
        found = baselines(list(shown), options.seed)
    except KeyboardInterrupt:
        print("Stopped; nothing was written.", file=sys.stderr)
        return 130
    print("\n".join(table(found)))
    if options.output:
        header = ["source", "kind", "reals", "fakes", "cue", "auc", "low", "high", "mark"]
        rows = ([*_key(each), each.cue, *_interval(each.auc), each.mark] for each in found)
        write_csv(options.output, header, rows)
    return 0


def looks_of_pairs(crops: Crops, mixture: Mixture, seed: int) -> Iterator[Look]:
    """The real and the fake of pair after pair, without end, as a network that learns from the mixture sees them."""
    crops = crops.of(raw_only(crops.samples)) if mixture.raw_only else crops
    can = blendable(crops.landmarks, crops.pictures.shape[1]) if mixture.blended + mixture.swapped else None
    order = PairOrder(crops.samples, PAIRS_A_STEP, seed, can)
    for step in count():
        for number, pair in enumerate(order.pairs(step)):
            *pictures, shown, _ = made_pair(crops, order, mixture, pair, [seed, step, number])
            real = crops.samples[pair.real]
            kind = MADE if shown[0] == shown[1] else LABELLED
            for fake, picture, index in zip((False, True), pictures, shown, strict=True):
                yield Look(real.source, real.group, kind, fake, cues(picture, crops.face_sides[index]))


def looks_as_they_are(crops: Crops) -> Iterator[Look]:
    """Each crop once, as it was cut."""
    for index, sample in enumerate(crops.samples):
        yield Look(
            sample.source, sample.group, LABELLED, sample.fake, cues(crops.pictures[index], crops.face_sides[index])
        )


def baselines(looks: Sequence[Look], seed: int) -> list[Baseline]:
    """Of each cue, by source and of all, for each kind of fakes that is there with its reals."""
    source, kinds, group = (np.array([getattr(look, name) for look in looks]) for name in ("source", "kind", "group"))
    y_true = np.array([look.fake for look in looks])
    values = np.array([look.cues for look in looks])
    sources = sorted(set(source))
    found = []
    for name in [*sources, ALL] if len(sources) > 1 else sources:
        of_source = (source == name) | (name == ALL)
        there = sorted(set(kinds[of_source]))
        for kind in [*there, BOTH] if len(there) > 1 else there:
            rows = of_source & ((kinds == kind) | (kind == BOTH))
            number = int((~y_true[rows]).sum()), int(y_true[rows].sum())
            if not all(number):
                continue
            for column, cue in enumerate(Cues._fields):
                auc = auc_interval(y_true[rows], values[rows, column], group[rows], seed)
                found.append(Baseline(name, kind, *number, cue, auc))
    return found


def table(found: Iterable[Baseline]) -> list[str]:
    """Lines: a head, and one for each source and kind of fakes."""
    lines = [_line(("source", "kind", "reals", "fakes"), Cues._fields)]
    by_key: dict[tuple[str, str, int, int], list[str]] = {}
    for each in found:
        by_key.setdefault(_key(each), []).append(f"{each.auc.value:.3f}{each.mark:2}")
    return lines + [_line(key, cells) for key, cells in by_key.items()]


def _key(each: Baseline) -> tuple[str, str, int, int]:
    return each.source, each.kind, each.reals, each.fakes


def _interval(auc: Interval) -> list[float]:
    return [round(number, 4) for number in (auc.value, auc.low, auc.high)]


def _line(key: Sequence[object], cells: Iterable[str]) -> str:
    return "{:13} {:8} {:>5} {:>5} ".format(*key) + " ".join(f"{cell:>14}" for cell in cells)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deepfake_training.shortcuts",
        description=(__doc__ or "").partition(": ")[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("data", type=Path, metavar="DATA", help="as `deepfake train` takes it")
    seen = parser.add_mutually_exclusive_group()
    seen.add_argument("--mixture", choices=MIXTURES, help="training mixture of the pairs (labelled)")
    seen.add_argument("--plain", action="store_true", help="the crops as they are: all reals against all fakes")
    parser.add_argument("--pairs", type=int, metavar="N", help="how many pairs are measured (2400)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="CSV to write, with the intervals")
    parser.add_argument("--work", type=Path, default=CACHE, help="folder of face crops (%(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="decides which pairs, and the intervals (%(default)s)")
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except DeepfakeError as error:
        sys.exit(str(error))
