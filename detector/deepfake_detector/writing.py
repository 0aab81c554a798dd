"""Writes a bundle, as `Bundle.load` reads it."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import joblib
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from deepfake_detector.bundle import TOML_FILE, Title
from deepfake_detector.network import HybridNetwork
from deepfake_detector.policy import Policy
from deepfake_detector.stacking import REGRESSION_FILE, SCALER_FILE
from deepfake_detector.tables import to_plain, to_toml
from deepfake_detector.weights import save_network


def write_bundle(
    folder: Path,
    title: Title,
    networks: Sequence[HybridNetwork],
    scaler: StandardScaler,
    regression: LogisticRegression,
    policy: Policy,
    *,
    half: bool = False,
) -> None:
    """Writes the five files and bundle.toml into the folder, which is made where it is missing.

    Networks in stacking order; `half` stores weights as float16, half as large. ValueError where one does not fit, or
    has no head for the spectrum, which bundle.toml can't say.
    """
    for network in networks:
        if network.spec.fft is None:
            raise ValueError(f"{network.spec.role} has no head for the spectrum: a bundle needs one in every network")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for network in networks:
        save_network(folder, network, half)
    joblib.dump(scaler, folder / SCALER_FILE)
    joblib.dump(regression, folder / REGRESSION_FILE)
    tables = [("[bundle]", title), *(("[[networks]]", network.spec) for network in networks), ("[policy]", policy)]
    text = "\n".join(f"{header}\n{_lines(value)}" for header, value in tables)
    (folder / TOML_FILE).write_text(text, encoding="utf-8")


def _lines(value: Any) -> str:
    """A dataclass as lines of TOML; what is None or empty is left out."""
    plain = to_plain(value)
    kept = [(each.name, plain[each.name]) for each in fields(value) if plain[each.name] not in (None, {})]
    return "".join(f"{key} = {to_toml(item)}\n" for key, item in kept)
