"""Which pairs of a real and a fake each step sees, in an order that only the seed decides."""

import logging
from collections import defaultdict
from typing import NamedTuple

import numpy as np
from deepfake_contract.errors import UsageError

from deepfake_training.data import Sample

CANDIDATES = 16  # for a swap: the one whose face is turned most alike is taken
EVENNESS = 0.6  # a source's share goes with its pairs to this power: the largest teaches most, but drowns no other
log = logging.getLogger(__name__)


class Pair(NamedTuple):
    """Indices of a real and of a labelled fake; None where the fake is yet to be made of the real, by self-blending or
    swapping. `aligned`: whether the labelled fake was made of that very real."""

    real: int
    fake: int | None
    aligned: bool


class PairOrder:
    """Both of one source, and a fake with its own original where there is one. What went through a video's compression
    meets only what did too, as far as the source has it.

    `blendable`: bool [N], the samples of whose face a fake may be made; None where the mixture makes none. A source
    with reals only takes part with those: in pairs without a labelled fake, and as source and target of swaps. What
    can't take part is logged; UsageError where nothing can.
    """

    def __init__(self, samples: list[Sample], pairs_a_step: int, seed: int, blendable: np.ndarray | None = None):
        self.samples, self.pairs_a_step, self.seed = samples, pairs_a_step, seed
        may_blend = np.zeros(len(samples), bool) if blendable is None else blendable
        all_reals, self.fakes = _by_source(samples, fake=False), _by_source(samples, fake=True)
        self.reals = {}
        for source, reals in all_reals.items():
            usable = reals if source in self.fakes else reals[may_blend[reals]]
            if len(usable):
                self.reals[source] = usable
        for source in sorted(set(all_reals) - set(self.reals)):
            log.warning("%s is left out: it has reals only, and no fakes can be made of them here", source)
        for source in sorted(set(self.fakes) - set(self.reals)):
            log.warning("%s is left out: it has fakes only, which would teach its look and not what a fake is", source)
        self.sources = sorted(self.reals)
        if not self.sources:
            raise UsageError("There is nothing to pair: no source has reals together with fakes, labelled or made.")
        self.originals: dict[tuple[str, bool, str], list[int]] = defaultdict(list)
        self.alike: dict[tuple[str, bool], list[int]] = defaultdict(list)
        for index, sample in enumerate(samples):
            if not sample.fake:
                self.alike[sample.source, sample.compressed].append(index)
                if sample.original:
                    self.originals[sample.source, sample.compressed, sample.original].append(index)
        self.all_reals = np.concatenate([self.reals[source] for source in self.sources])
        # A fake that was made from a recording holds some other real face; one without is taken for a generator's.
        self.generated = np.flatnonzero([sample.fake and not sample.original for sample in samples])
        sizes = np.array([len(self.fakes.get(source, self.reals[source])) for source in self.sources]) ** EVENNESS
        self.shares = sizes / sizes.sum()

    def pairs(self, step: int) -> list[Pair]:
        random = np.random.default_rng([self.seed, step, 0, 2])  # the last number tells it from a picture's generators
        return [
            self._pair(self.sources[index], random)
            for index in random.choice(len(self.sources), self.pairs_a_step, p=self.shares)
        ]

    def _pair(self, source: str, random: np.random.Generator) -> Pair:
        if source not in self.fakes:
            return Pair(int(random.choice(self.reals[source])), None, False)
        fake = int(random.choice(self.fakes[source]))
        compressed = self.samples[fake].compressed
        own = self.originals.get((source, compressed, self.samples[fake].original), [])
        others = self.alike.get((source, compressed), self.reals[source])
        # Of a recording's several pictures none is known to be the one.
        return Pair(int(random.choice(own or others)), fake, len(own) == 1)

    def stranger(self, real: int, random: np.random.Generator) -> np.ndarray:
        """Some pictures whose face may be put onto that real one's: in half of the cases such that were generated as a
        whole, if there are any, so that what a generator does to a face is seen in the midst of a real picture too."""
        pool = self.generated if len(self.generated) and random.random() < 0.5 else self.all_reals
        drawn = random.choice(pool, CANDIDATES)
        others = [index for index in drawn if self.samples[index].group != self.samples[real].group]
        return np.array(others, int)


def blendable(landmarks: np.ndarray, side: int) -> np.ndarray:
    """Whether a fake can be made of the faces with these landmarks [..., 5, 2], in pixels of crops with that side: the
    face's middle is in the crop. Bool [...]; no where there are no landmarks (NaN)."""
    return (np.abs(landmarks.mean(axis=-2) - side / 2) < side / 2).all(axis=-1)


def _by_source(samples: list[Sample], fake: bool) -> dict[str, np.ndarray]:
    """Arrays, as a list of thousands would be made into one at every draw."""
    indices: dict[str, list[int]] = {}
    for index, sample in enumerate(samples):
        if sample.fake == fake:
            indices.setdefault(sample.source, []).append(index)
    return {source: np.array(own) for source, own in indices.items()}
