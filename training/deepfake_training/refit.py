"""The stacking and the thresholds of strong evidence, refitted on somebody's own labelled files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from deepfake_contract.description import BundleDescription
from deepfake_contract.errors import UsageError
from deepfake_contract.looks import corrected
from deepfake_contract.stacking import Stacking
from sklearn.model_selection import StratifiedGroupKFold

from deepfake_training.data import Sample
from deepfake_training.figures import draws_of
from deepfake_training.interval import INTERVAL, Interval
from deepfake_training.predictions import Prediction
from deepfake_training.source_rates import Scored
from deepfake_training.stack import false_positive_rate, fit_stack, real_scores, stacked, uncertain_band
from deepfake_training.strong_evidence import StrongEvidence, strong_evidence
from deepfake_training.thresholds import fit_thresholds

FOLDS = 5
FEWEST_FILES, FEWEST_GROUPS = 20, 10  # of each class
SEED = 7
SUREST = 1e-15  # a probability's distance from 0 and 1 at least, so that its logarithm is a number


@dataclass(frozen=True)
class Refit:
    """`log_loss`: the refitted stacking's, on files that it was not fitted on, `log_loss_before`: the bundle's own on
    the same; reals and fakes weigh alike. `gain`: the second less the first, by draws of whole groups.

    `stacking` is fitted on all files. `false_positive_rate` at the threshold, `uncertain`, `real_scores`, `fake_from`,
    `real_below` and what these two give by source (`evidence`) are of answers to files that the answering stacking had
    not seen.
    """

    files: int
    log_loss: float
    log_loss_before: float
    gain: Interval
    stacking: Stacking
    false_positive_rate: float
    uncertain: tuple[float, float]
    real_scores: tuple[float, ...] | None
    fake_from: float | None
    real_below: float | None
    evidence: Mapping[str, StrongEvidence]

    @property
    def helps(self) -> bool:
        return self.gain.low > 0


def check_enough(samples: Sequence[Sample]) -> None:
    """UsageError where a refit would be judged by too few files or groups."""
    counts = []
    for fake in (False, True):
        groups = [sample.group for sample in samples if sample.fake == fake]
        counts.append((len(groups), len(set(groups))))
    if min(files for files, _ in counts) < FEWEST_FILES or min(groups for _, groups in counts) < FEWEST_GROUPS:
        (reals, real_groups), (fakes, fake_groups) = counts
        raise UsageError(
            f"--fit needs at least {FEWEST_FILES} reals and {FEWEST_FILES} fakes with an answer, each of at least "
            f"{FEWEST_GROUPS} groups (persons, scenes), but there are {reals} reals of {real_groups} groups and "
            f"{fakes} fakes of {fake_groups}: add files, or name their groups (column group, or sub-folders)."
        )


def refit(samples: Sequence[Sample], predictions: Sequence[Prediction], bundle: BundleDescription) -> Refit:
    """By cross-validation over groups, in FOLDS folds; files without an answer take no part. UsageError as
    check_enough."""
    pairs = [(sample, each) for sample, each in zip(samples, predictions, strict=True) if each.networks]
    check_enough([sample for sample, _ in pairs])
    answers = [each for _, each in pairs]
    networks = np.array([[each.networks[name] for name in bundle.names] for each in answers if each.networks])
    y_true, source, group = (
        np.array([getattr(sample, name) for sample, _ in pairs]) for name in ("fake", "source", "group")
    )
    threshold = bundle.policy.threshold
    y_score = np.empty(len(pairs))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED)
    for learn, held in folds.split(networks, y_true.astype(int), group):
        stacking = fit_stack(networks[learn], y_true[learn], threshold).stacking
        reached = real_scores(stacked(stacking, networks[learn]), y_true[learn])
        y_score[held] = file_scores(stacking, reached, [answers[row] for row in held.tolist()])
    as_it_is = file_scores(bundle.stacking, bundle.policy.real_scores, answers)
    before, after = log_losses(y_true, as_it_is), log_losses(y_true, y_score)
    fake_from, real_below = fit_thresholds(y_true, y_score, source, group)
    return Refit(
        files=len(pairs),
        log_loss=float(_balanced(y_true, after, np.ones((1, len(pairs))))[0]),
        log_loss_before=float(_balanced(y_true, before, np.ones((1, len(pairs))))[0]),
        gain=_mean_interval(y_true, before - after, group),
        stacking=fit_stack(networks, y_true, threshold).stacking,
        false_positive_rate=false_positive_rate(y_score, y_true, threshold),
        uncertain=uncertain_band(y_score, y_true, threshold),
        real_scores=real_scores(y_score, y_true),
        fake_from=fake_from,
        real_below=real_below,
        evidence=strong_evidence(Scored(y_true, y_score, source, group), fake_from, real_below),
    )


def file_scores(stacking: Stacking, reached: Sequence[float] | None, predictions: Sequence[Prediction]) -> np.ndarray:
    """The probability of FAKE of each file, float [N], had the stacking joined the networks, and real faces reached
    these `real_scores`: as the client does it, the mean of the frames' highest faces, corrected for their number."""
    frames = [frame for each in predictions for frame in each.faces]
    faces = np.array([face for frame in frames for face in frame], dtype=np.float64)
    of_frames = np.maximum.reduceat(stacked(stacking, faces), _starts([len(frame) for frame in frames]))
    if reached:
        of_frames = np.array(
            [corrected(score, len(frame), reached) for score, frame in zip(of_frames, frames, strict=True)]
        )
    counts = [len(each.faces) for each in predictions]
    return np.add.reduceat(of_frames, _starts(counts)) / counts


def log_losses(y_true: np.ndarray, y_score: np.ndarray) -> np.ndarray:
    """Of each file, float [N]: minus the logarithm of the probability that was given to what is true."""
    return -np.log(np.clip(np.where(y_true, y_score, 1 - y_score), SUREST, None))


def _starts(lengths: Sequence[int]) -> np.ndarray:
    return np.cumsum([0, *lengths[:-1]])


def _balanced(y_true: np.ndarray, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The mean over reals and fakes, which weigh alike, in each draw [draws] of weights [draws, N]; NaN in a draw that
    lacks a class."""
    with np.errstate(invalid="ignore"):
        means = [weights[:, rows] @ values[rows] / weights[:, rows].sum(axis=1) for rows in (y_true, ~y_true)]
    return np.mean(means, axis=0)


def _mean_interval(y_true: np.ndarray, values: np.ndarray, group: np.ndarray) -> Interval:
    low, high = np.nanpercentile(_balanced(y_true, values, draws_of(group, SEED)), INTERVAL)
    return Interval(float(_balanced(y_true, values, np.ones((1, len(values))))[0]), float(low), float(high))
