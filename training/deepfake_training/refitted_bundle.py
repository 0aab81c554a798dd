"""A bundle with the networks of another, and a refitted stacking and policy."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from deepfake_contract.description import BundleDescription, NetworkSpec
from deepfake_contract.errors import UsageError
from deepfake_networks.weights import SAFETENSORS
from deepfake_networks.writing import write_description

from deepfake_training.refit import Refit

SUFFIX = "+fitted"  # of the version


def check_new(folder: Path) -> None:
    """UsageError where something is there already."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already: name a new folder for the refitted bundle, or empty this one.")


def write_refitted(folder: Path, source: Path, bundle: BundleDescription, fitted: Refit) -> None:
    """Writes it into the folder, whole or not at all. `source` is the folder of `bundle`, whose weights are copied byte
    for byte; UsageError as check_new."""
    check_new(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    identity = replace(bundle.identity, version=bundle.identity.version.split("+")[0] + SUFFIX)
    policy = replace(
        bundle.policy,
        false_positive_rate=fitted.false_positive_rate,
        uncertain=fitted.uncertain,
        real_scores=fitted.real_scores,
        fake_from=fitted.fake_from,
        real_below=fitted.real_below,
    )
    specs = [_inside(spec) for spec in bundle.networks]
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as unfinished:
        made = Path(unfinished) / "bundle"
        made.mkdir()
        for old, new in zip(bundle.networks, specs, strict=True):
            shutil.copyfile(source / old.weights, made / new.weights)
        write_description(made, identity, specs, fitted.stacking, policy)
        made.rename(folder)


def _inside(spec: NetworkSpec) -> NetworkSpec:
    """With its weights in the bundle's own folder, from wherever they were."""
    elsewhere = Path(spec.weights).name != spec.weights
    return replace(spec, weights=f"{spec.name}{SAFETENSORS}") if elsewhere else spec
