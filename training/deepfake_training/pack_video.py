"""Which pictures of a pack are there a second time, as a video's compression leaves them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np

CRF = (18, 40)  # lowest and highest, of H.264


def drawn_crfs(rows: Iterable[Mapping[str, str]], share: float, seed: int) -> dict[str, int]:
    """Path to CRF for about `share` of each source's recordings: a real and the fakes made of it go together.

    Where no original is known as many fakes as reals are drawn, at the same CRFs, so that the compression tells nothing
    of the label. Only the seed decides, not the rows' order.
    """
    random = np.random.default_rng(seed)
    recordings: dict[tuple[str, str], list[str]] = defaultdict(list)
    single: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row.get("original"):
            recordings[row["source"], row["original"]].append(row["path"])
        else:
            single[row["source"]][row["label"]].append(row["path"])
    crfs: dict[str, int] = {}
    for source in sorted({source for source, _ in recordings}):
        known = sorted(recording for recording in recordings if recording[0] == source)
        for at in random.permutation(len(known))[: round(share * len(known))]:
            crf = int(random.integers(CRF[0], CRF[1] + 1))
            crfs |= dict.fromkeys(recordings[known[at]], crf)
    for _, by_label in sorted(single.items()):
        count = round(share * min(len(paths) for paths in by_label.values()))
        drawn = random.integers(CRF[0], CRF[1] + 1, count).tolist()
        for _, paths in sorted(by_label.items()):
            crfs |= zip(random.permutation(sorted(paths)).tolist(), drawn, strict=False)
    return crfs
