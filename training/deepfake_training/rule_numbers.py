"""Chooses the number of a rule that calls answers uncertain, so that what it marks is often wrong."""

from collections.abc import Callable, Sequence

import numpy as np

MOST_ERROR = 0.35  # share of wrong answers from which on they are called uncertain
FEW = 20  # fewer answers than this are too few to judge by
RING = 0.05  # of probability; bands around the threshold grow by it
BANDS = tuple(round(RING * number, 2) for number in range(1, 7))  # on each side of the threshold


def band(threshold: float, width: float) -> tuple[float, float]:
    """The probabilities up to `width` from the threshold."""
    return max(0.0, round(threshold - width, 2)), min(1.0, round(threshold + width, 2))


def loosest(
    numbers: Sequence[float], marks: Callable[[float], np.ndarray], wrong: np.ndarray, y_true: np.ndarray
) -> float | None:
    """The loosest of `numbers`, which go from the strictest on, up to which what a rule marks is too often wrong.

    `marks` says which answers the rule marks with a number, bool [N]: with each at least those of the numbers before.
    `wrong` and `y_true` (FAKE) are bool [N]. What a number marks beyond the one before is a ring; rings with fewer than
    FEW answers are joined with the next ones. Too often: at least MOST_ERROR of the ring's answers, and of all that the
    number marks, were reals and fakes equally common among all N. From the first such number on the rule grows ring by
    ring, to the first ring that is not. None where there is no such number; or where it is not known, for want of
    answers or of one class.
    """
    if not 0 < y_true.sum() < len(y_true):
        return None
    weight = class_weights(y_true)

    def too_often(answers: np.ndarray) -> bool:
        return bool(np.average(wrong[answers], weights=weight[answers]) >= MOST_ERROR)

    reached, inside = None, np.zeros(len(y_true), bool)
    for number in numbers:
        marked = marks(number)
        ring = marked & ~inside
        if ring.sum() < FEW:
            continue
        if too_often(ring) and too_often(marked):
            reached = number
        elif reached is not None:
            break
        inside = marked
    return reached


def class_weights(y_true: np.ndarray) -> np.ndarray:
    """The weight of each answer, float [N], so that reals and fakes weigh alike, however many there are of each."""
    return 1 / np.where(y_true, y_true.sum(), (~y_true).sum())
