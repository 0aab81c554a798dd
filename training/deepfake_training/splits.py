"""Which pictures are learnt from, and which are kept to judge by: whole groups, or a whole source."""

import numpy as np

from deepfake_training.data import Sample

SCORED = 1000  # pictures of a source left out, half of each class


def hold_out(samples: list[Sample], share: float, seed: int) -> tuple[list[Sample], list[Sample]]:
    """Splits by group into (learn, held out), the second with about `share` of each source's pictures.

    Groups of the same name are one group, in whichever sources they are. One that is larger than what is still wanted
    stays on the learning side, so one huge group can't empty it. Sources are drawn from in the order in which they
    first appear: those appended to a manifest leave the others' held-out groups as they are, so that a network which
    goes on from an earlier one has seen none of them.
    """
    random = np.random.default_rng(seed)
    apart: set[str] = set()
    for source in dict.fromkeys(sample.source for sample in samples):
        sizes: dict[str, int] = {}
        for sample in samples:
            if sample.source == source:
                sizes[sample.group] = sizes.get(sample.group, 0) + 1
        wanted = share * sum(sizes.values())
        for group in random.permutation(sorted(sizes)):
            if sizes[group] <= wanted:
                apart.add(str(group))
                wanted -= sizes[group]
    learn = [sample for sample in samples if sample.group not in apart]
    held = [sample for sample in samples if sample.group in apart]
    return learn, held


def leave_out(source: str, learn: list[Sample], held: list[Sample]) -> tuple[list[Sample], list[Sample], list[Sample]]:
    """What is learnt from and what is held out without the source, and pictures of the source to score: these tell what
    carries over to kinds never seen.

    Of each class up to half of SCORED, always the same ones.
    """
    random = np.random.default_rng(0)
    scored = []
    for fake in (False, True):
        own = [sample for sample in learn + held if sample.source == source and sample.fake == fake]
        own.sort(key=lambda sample: str(sample.path))
        chosen = np.sort(random.permutation(len(own))[: SCORED // 2])
        scored += [own[index] for index in chosen]
    others = [[sample for sample in part if sample.source != source] for part in (learn, held)]
    return others[0], others[1], scored


def sources_with_both(samples: list[Sample]) -> list[str]:
    """The sources that have reals and fakes."""
    labels = {(sample.source, sample.fake) for sample in samples}
    return sorted(source for source, fake in labels if fake and (source, False) in labels)


def raw_only(samples: list[Sample]) -> list[Sample]:
    """Those of the sources that hold reals alone; all samples where there is no such source."""
    with_fakes = {sample.source for sample in samples if sample.fake}
    return [sample for sample in samples if sample.source not in with_fakes] or samples
