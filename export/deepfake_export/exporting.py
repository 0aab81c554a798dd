"""From a bundle's folder to a model repository that was compared, in its place whole or not at all."""

import logging
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from deepfake_contract.errors import ExportError
from deepfake_contract.tensors import ENSEMBLE
from deepfake_networks.bundle import Bundle

from deepfake_export.configuration import ServingOptions
from deepfake_export.examples import CROPS
from deepfake_export.examples import crops as example_crops
from deepfake_export.parity import Parity, measure
from deepfake_export.repository import write_repository

QUEUE_BATCHES = 4  # batches of the slowest network that a request must be allowed to wait for
log = logging.getLogger(__name__)


def export(
    folder: Path, output: Path, options: ServingOptions, crops: int = CROPS, progress: Callable[[str], None] = log.info
) -> Parity:
    """Writes the bundle in `folder` as the repository `output`, replacing one that is there, and returns the parity
    over `crops` example crops.

    BundleError where the bundle is wrong; ExportError where `output` is something else than a repository or an output
    differs too much: then nothing was replaced.
    """
    output = Path(output).absolute()
    if output.exists() and not _replaceable(output):
        raise ExportError(f"{output} is there and is no model repository: name another folder, or remove it first.")
    progress(f"Reading {folder}")
    bundle = Bundle.load(folder)
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as workplace:
        written = Path(workplace) / "new"
        written.mkdir()
        progress("Converting the networks")
        write_repository(bundle, written, options)
        progress(f"Comparing with PyTorch and scikit-learn over {crops} crops")
        compared = example_crops(crops, bundle.description.policy.crop_side)
        parity = measure(bundle, written, compared, options.batch_size, options.in_half)
        if not parity.passed:
            raise ExportError(f"{parity}\nThe exported models differ too much: {output} was left as it was.")
        _check_queue(parity, options)
        _replace(output, written, Path(workplace) / "old")
    return parity


def _replaceable(output: Path) -> bool:
    return output.is_dir() and ((output / ENSEMBLE / "config.pbtxt").exists() or not any(output.iterdir()))


def _check_queue(parity: Parity, options: ServingOptions) -> None:
    needed_s = QUEUE_BATCHES * parity.batch_s
    if options.queue_timeout_s < needed_s:
        log.warning(
            "A batch of the slowest step took %.1f s here. Requests may wait %.0f s; set --queue-timeout to %.0f s or "
            "more.",
            *(parity.batch_s, options.queue_timeout_s, needed_s),
        )


def _replace(output: Path, new: Path, old: Path) -> None:
    """Puts `new` in the place of `output`, whose former content goes to `old`."""
    if output.exists():
        output.rename(old)
    try:
        new.rename(output)
    except BaseException:
        if old.exists():
            old.rename(output)
        raise
    shutil.rmtree(old, ignore_errors=True)
