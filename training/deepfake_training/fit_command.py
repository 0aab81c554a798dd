"""deepfake evaluate DATA --output FOLDER --fit BUNDLE: a bundle refitted on the files, where that helps."""

from collections.abc import Sequence
from pathlib import Path

from deepfake_contract.description import BundleDescription
from deepfake_contract.errors import UsageError
from deepfake_networks.bundle import describe

from deepfake_training.data import Sample
from deepfake_training.predictions import Prediction
from deepfake_training.refit import FOLDS, Refit, check_enough, refit
from deepfake_training.refitted_bundle import check_new, write_refitted
from deepfake_training.report import write_json


def check_fit(samples: Sequence[Sample], bundle: Path, served: BundleDescription, folder: Path) -> None:
    """UsageError, before anything is predicted, where nothing could be fitted or written."""
    check_new(folder)
    check_enough(samples)
    given = describe(bundle)
    if given.digest != served.digest:
        raise UsageError(
            f"{bundle} is {_named(given)} ({given.digest}), but the Triton serves {_named(served)} ({served.digest}): "
            "name with --bundle the folder that was exported."
        )


def fit(
    samples: Sequence[Sample], predictions: Sequence[Prediction], bundle: Path, folder: Path, output: Path
) -> tuple[int, str]:
    """The exit code, 0 where a refit helps and 1 where not, and what to say of it. Writes the new bundle into `folder`
    where it helps, and fit.json into `output` in any case. UsageError where too few files have an answer."""
    description = describe(bundle)
    fitted = refit(samples, predictions, description)
    write_json(output / "fit.json", fitted)
    judged = _judged(fitted, description)
    if not fitted.helps:
        return 1, f"Refitting is not shown to help here: {judged} Nothing was written, {bundle} stays as it is."
    write_refitted(folder, bundle, description, fitted)
    return 0, (
        f"Refitting helps: {judged} {_thresholds(fitted)} Wrote {folder}. Next: deepfake export {folder} --output "
        "REPOSITORY, then serve that with --repository."
    )


def _judged(fitted: Refit, bundle: BundleDescription) -> str:
    gain = fitted.gain
    return (
        f"on held-out groups ({FOLDS} folds, {fitted.files} files) the log loss is {fitted.log_loss:.4f} refitted and "
        f"{fitted.log_loss_before:.4f} with {_named(bundle)}, lower by {gain.value:.4f} (95 % interval {gain.low:.4f} "
        f"to {gain.high:.4f})."
    )


def _thresholds(fitted: Refit) -> str:
    named = {"fake_from": fitted.fake_from, "real_below": fitted.real_below}
    given = [f"{name} {'none' if value is None else f'{value:.3f}'}" for name, value in named.items()]
    return f"Strong evidence: {', '.join(given)}."


def _named(bundle: BundleDescription) -> str:
    return f"{bundle.identity.name} {bundle.identity.version}"
