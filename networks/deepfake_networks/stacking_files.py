"""The stacking of the original system: its scaler and its logistic regression, each a joblib dump."""

from pathlib import Path

import numpy as np
from deepfake_contract.errors import BundleError
from deepfake_contract.stacking import Stacking

from deepfake_networks.estimators import Estimator, read_estimator

SCALER_FILE, REGRESSION_FILE = "meta_scaler.pkl", "meta_logreg.pkl"


def read_stacking(folder: Path, networks: int) -> Stacking:
    """From the two files, without running what they hold; BundleError says what is wrong."""
    scaler = read_estimator(folder / SCALER_FILE, "StandardScaler")
    regression = read_estimator(folder / REGRESSION_FILE, "LogisticRegression")
    if getattr(regression, "multi_class", "auto") == "multinomial":
        raise BundleError(f"{REGRESSION_FILE}: multi_class='multinomial' is not what the stacking uses; fit again.")
    classes = _numbers(regression, REGRESSION_FILE, "classes_", (2,))
    if classes.tolist() != [0, 1]:
        raise BundleError(f"{REGRESSION_FILE}: classes_ must be [0, 1] with 1 for FAKE, but is {classes.tolist()}.")
    scale = _numbers(scaler, SCALER_FILE, "scale_", (networks,))
    try:
        return Stacking(
            mean=tuple(_numbers(scaler, SCALER_FILE, "mean_", (networks,)).tolist()),
            scale=tuple(scale.tolist()),
            coefficients=tuple(_numbers(regression, REGRESSION_FILE, "coef_", (1, networks))[0].tolist()),
            intercept=float(_numbers(regression, REGRESSION_FILE, "intercept_", (1,))[0]),
        )
    except ValueError as cause:
        raise BundleError(f"{SCALER_FILE} and {REGRESSION_FILE}: {cause}; fit both again.") from cause


def _numbers(estimator: Estimator, file: str, name: str, shape: tuple[int, ...]) -> np.ndarray:
    value = getattr(estimator, name, None)
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu":
        raise BundleError(
            f"{file}: {name} is not an array of numbers; fit it on the networks' probabilities and dump it again."
        )
    if value.shape != shape:
        raise BundleError(
            f"{file}: {name} has shape {value.shape}, not {shape}: it must be fitted on {shape[-1]} networks."
        )
    return value.astype(np.float64) if value.dtype.kind == "f" else value
