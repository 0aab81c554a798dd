"""Shares of reals and of fakes that reach a score, each source weighing the same, and draws that tell how sure they
are."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deepfake_training.figures import draws_of
from deepfake_training.proportions import unseen

SEED = 7


@dataclass(frozen=True)
class Scored:
    """Files with a score: whether each is fake, bool [N], `y_score` float [N], and the names of its source and, within
    that, of its group, [N]."""

    y_true: np.ndarray
    y_score: np.ndarray
    source: np.ndarray
    group: np.ndarray

    def of_source(self, name: str) -> "Scored":
        rows = self.source == name
        return Scored(self.y_true[rows], self.y_score[rows], self.source[rows], self.group[rows])


@dataclass(frozen=True)
class Reaching:
    """Of one class: `shares` [1 + draws, cuts], how many have at least that score, first as it is and then in each
    draw; NaN in a draw without the class. `unseen`: the highest share that goes well with not one."""

    shares: np.ndarray
    unseen: float


def as_it_is(group: np.ndarray, seed: int) -> np.ndarray:
    """Each file once and no draws, int [1, N]."""
    return np.ones((1, len(group)), int)


def with_draws(group: np.ndarray, seed: int) -> np.ndarray:
    """Each file once, and then as often as it is in each draw of whole groups, int [1 + DRAWS, N]."""
    return np.vstack([as_it_is(group, seed), draws_of(group, seed)])


def reaching(
    scored: Scored, cuts: np.ndarray, weights: Callable[[np.ndarray, int], np.ndarray]
) -> tuple[Reaching | None, Reaching | None]:
    """Of the reals, and of the fakes, at each of the cuts [cuts]; None without the class. A source with one class
    counts for that one alone."""
    parts: dict[bool, list[np.ndarray]] = {False: [], True: []}
    most: dict[bool, list[float]] = {False: [], True: []}
    for number, name in enumerate(np.unique(scored.source)):
        own = scored.of_source(name)
        weight = weights(own.group, SEED + number)
        for fake in parts:
            of_class = own.y_true == fake
            if of_class.any():
                parts[fake].append(_shares(own.y_score[of_class], weight[:, of_class], cuts))
                most[fake].append(unseen(len(np.unique(own.group[of_class]))))
    # Not one real in any source: their mean is highest where all that may be unseen is in the smallest of them.
    made = [Reaching(_mean(parts[fake]), max(most[fake]) / len(most[fake])) if parts[fake] else None for fake in parts]
    return made[0], made[1]


def _shares(y_score: np.ndarray, weight: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """[draws, cuts] from float [N] and int [draws, N]."""
    order = np.argsort(y_score)
    total = weight.sum(axis=1, keepdims=True)
    below = np.hstack([np.zeros_like(total), np.cumsum(weight[:, order], axis=1)])
    with np.errstate(invalid="ignore"):
        return (total - below[:, np.searchsorted(y_score[order], cuts)]) / total


def _mean(parts: list[np.ndarray]) -> np.ndarray:
    """The mean of the sources that a draw has anything of."""
    total, count = np.zeros(parts[0].shape), np.zeros(parts[0].shape, int)
    for each in parts:
        total += np.nan_to_num(each)
        count += ~np.isnan(each)
    with np.errstate(invalid="ignore"):
        return total / count
