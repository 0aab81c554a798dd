"""A source that nothing is learnt from, so that its pictures tell what carries over to kinds never seen."""

import numpy as np

from deepfake_training.data import Sample

LOOKED_AT = 1000  # pictures of the source, half of each class


def leave_out(source: str, learn: list[Sample], held: list[Sample]) -> tuple[list[Sample], list[Sample], list[Sample]]:
    """What is learnt from and what is held out without the source, and the source's pictures to look at.

    Of each class up to half of LOOKED_AT, always the same ones.
    """
    random = np.random.default_rng(0)
    looked_at = []
    for fake in (False, True):
        own = [sample for sample in learn + held if sample.source == source and sample.fake == fake]
        own.sort(key=lambda sample: str(sample.path))
        chosen = np.sort(random.permutation(len(own))[: LOOKED_AT // 2])
        looked_at += [own[index] for index in chosen]
    others = [[sample for sample in part if sample.source != source] for part in (learn, held)]
    return others[0], others[1], looked_at
