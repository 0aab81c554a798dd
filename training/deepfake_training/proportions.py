"""How sure a share is that was counted over files that are not independent of each other."""

import numpy as np

from deepfake_training.interval import Interval

Z = 1.959964  # of the normal distribution, for 95 %


def share(hits: np.ndarray, group: np.ndarray) -> Interval:
    """The share of hits, bool [N], N at least 1, with its 95 % interval; `group` [N] names what belongs together.

    Wilson's interval (1927) with as many files as they are worth: N over the design effect, which is how much more the
    groups differ than single files would (Korn and Graubard 1998; Franco et al. 2019). Groups of one file each are
    worth N; where all files agree, nothing tells the effect, and each group counts as one file.
    """
    number, value = len(hits), float(np.mean(hits))
    _, index, sizes = np.unique(group, return_inverse=True, return_counts=True)
    worth = float(len(sizes))
    if 0 < value < 1 and len(sizes) > 1:
        over = np.bincount(index, hits) - value * sizes
        between = len(sizes) / (len(sizes) - 1) * np.square(over).sum()
        alone = number / (number - 1) * number * value * (1 - value)
        worth = number / max(1.0, between / alone)
    centre = (value + Z**2 / (2 * worth)) / (1 + Z**2 / worth)
    half = Z / (1 + Z**2 / worth) * (value * (1 - value) / worth + Z**2 / (4 * worth**2)) ** 0.5
    return Interval(value, max(0.0, centre - half), min(1.0, centre + half))


def unseen(number: int) -> float:
    """The highest share, 0 to 1, that goes well with not one hit among so many, at 95 %: about three of them (the rule
    of three, Hanley and Lippman-Hand 1983)."""
    return 1 - 0.05 ** (1 / number) if number else 1.0
