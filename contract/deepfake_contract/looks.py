"""The highest of several faces' scores, corrected for how many were looked at."""

import math
from collections.abc import Sequence

# Shares of real faces: a policy's `real_scores` are the scores that these reach.
REACHED_BY = (0.99, 0.95, 0.9, 0.75, 0.5, 0.25, 0.1, 0.05, 0.025, 0.01, 0.005)
LEAST = 1e-6  # of a probability, which is 0 or 1 no more exactly than that


def corrected(highest: float, looks: int, real_scores: Sequence[float]) -> float:
    """The score that one real face alone reaches as often as the highest of `looks` real ones reaches `highest`.

    Of n faces that say nothing of each other the highest reaches a score with 1 - (1 - p)^n where one does with p
    (Šidák, Journal of the American Statistical Association 62, 1967). p is read off `real_scores`, straight between two
    of them and beyond the last, both as logits.
    """
    if looks == 1:
        return highest
    scores, shares = [logit(each) for each in real_scores], [logit(each) for each in REACHED_BY]
    share = 1 / (1 + math.exp(-_straight(logit(highest), scores, shares)))
    reached = -math.expm1(looks * math.log1p(-share))
    return 1 / (1 + math.exp(-_straight(logit(reached), shares[::-1], scores[::-1])))


def logit(probability: float) -> float:
    """The log-odds, of 0 and 1 too."""
    near = min(max(probability, LEAST), 1 - LEAST)
    return math.log(near / (1 - near))


def _straight(at: float, xs: Sequence[float], ys: Sequence[float]) -> float:
    """Through the points, of which the xs rise; the first and the last line go on beyond them."""
    right = next((index for index, x in enumerate(xs[1:-1], 1) if at < x), len(xs) - 1)
    (x0, x1), (y0, y1) = xs[right - 1 : right + 1], ys[right - 1 : right + 1]
    return y0 + (y1 - y0) * (at - x0) / (x1 - x0)
