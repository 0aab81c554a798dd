"""What can be said of files that are all real, or all fake: how many are called FAKE, and no AUC."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from deepfake_contract.policy import Policy

from deepfake_training.data import Sample
from deepfake_training.interval import Interval
from deepfake_training.predictions import Prediction
from deepfake_training.proportions import share
from deepfake_training.subsets import group_names, of_one_class, of_rows


@dataclass(frozen=True)
class OneClass:
    """`label`: what all of the files are, real or fake. Shares of those with an answer, with intervals as `share` makes
    them: `called_fake` from the threshold up, `strong_fake` from fake_from up, `strong_real` below real_below. None
    where the bundle has no such threshold, or no file an answer."""

    label: str
    files: int
    without_answer: int
    called_fake: Interval | None
    strong_fake: Interval | None
    strong_real: Interval | None


def find_one_class(samples: Sequence[Sample], predictions: Sequence[Prediction], policy: Policy) -> dict[str, OneClass]:
    """Of each source that has one class only."""
    return {
        name: one_class(of_rows(samples, rows), of_rows(predictions, rows), policy)
        for name, rows in of_one_class(samples).items()
    }


def one_class(samples: Sequence[Sample], predictions: Sequence[Prediction], policy: Policy) -> OneClass:
    """Of files of one class."""
    answered = np.array([each.y_score is not None for each in predictions])
    y_score = np.array([each.y_score for each in predictions if each.y_score is not None])
    group = group_names(samples)[answered]

    def shared(hits: np.ndarray) -> Interval | None:
        return share(hits, group) if len(hits) else None

    fake_from, real_below = policy.fake_from, policy.real_below
    return OneClass(
        label="fake" if samples[0].fake else "real",
        files=len(samples),
        without_answer=int((~answered).sum()),
        called_fake=shared(y_score >= policy.threshold),
        strong_fake=None if fake_from is None else shared(y_score >= fake_from),
        strong_real=None if real_below is None else shared(y_score < real_below),
    )
