"""Trains a profile's networks without a source, and says what they answer to that source's pictures."""

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from deepfake_contract.errors import UsageError

from deepfake_training.crops import Crops, FindFace, cut_crops
from deepfake_training.data import Sample
from deepfake_training.plans import Run
from deepfake_training.probabilities import probabilities
from deepfake_training.profile_networks import Trainer
from deepfake_training.recipes import HELD_OUT_SHARE
from deepfake_training.scores import LEFT_OUT, SCORES_FILE, figures, read_scores, scores_of, write_scores
from deepfake_training.splits import hold_out, leave_out, sources_with_both
from deepfake_training.train_profile import TrainingPlan

ALL = "all"
log = logging.getLogger(__name__)


def train_without(
    samples: list[Sample], faces: AbstractContextManager[FindFace], plan: TrainingPlan, sources: Sequence[str]
) -> Path:
    """Each of the plan's networks, or its `only` one, trained anew without each of the sources in turn (ALL: each that
    has both classes); what they answer to up to 1,000 of that source's pictures, as a table in the output folder.

    A run's rows are written as soon as it ends, beside those of earlier calls; a stopped run goes on from its
    checkpoint. UsageError names a source that is not there.
    """
    shown = cut_crops(samples, faces, plan.profile.policy, plan.work)
    known = sources_with_both(shown.samples)
    if unknown := sorted(set(sources) - {*known, ALL}):
        raise UsageError(f"There is no source {unknown[0]!r} with reals and fakes; there are {', '.join(known)}.")
    plan.output.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(plan.profile, plan.work, plan.seed, plan.machine)
    for source in known if ALL in sources else sources:
        for name in plan.profile.names if plan.only is None else [plan.only]:
            _one_run(shown, trainer, Run(name, source), plan.output)
    table = plan.output / SCORES_FILE
    for line in figures(read_scores(table)):
        log.info("%s", line)
    return table


def _one_run(shown: Crops, trainer: Trainer, run: Run, output: Path) -> None:
    learn, held = hold_out(shown.samples, HELD_OUT_SHARE, trainer.seed)
    learn, _, left_out = leave_out(run.without or "", learn, held)
    network = trainer.trained(run.network, shown.of(learn))
    crops = shown.of(left_out)
    scores = scores_of(run, LEFT_OUT, left_out, probabilities(network, crops.pictures, crops.face_sides))
    for line in figures(scores):
        log.info("%s", line)
    write_scores(output / f"{run.name}.csv", scores)
    runs = sorted(output.glob("*-without-*.csv"))
    write_scores(output / SCORES_FILE, [score for each in runs for score in read_scores(each)])
