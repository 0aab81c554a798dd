"""The stacking: the scaler and the logistic regression that make one probability of three."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepfake_detector.errors import BundleError
from deepfake_detector.estimators import Estimator, read_estimator

SCALER_FILE, REGRESSION_FILE = "meta_scaler.pkl", "meta_logreg.pkl"
NETWORKS = 3


@dataclass(frozen=True)
class Stacking:
    """P(FAKE) = 1 / (1 + exp(−(Σ coefficientᵢ · (probabilityᵢ − meanᵢ) / scaleᵢ + intercept))), in stacking order."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    coefficients: tuple[float, ...]
    intercept: float

    @classmethod
    def read(cls, folder: Path) -> "Stacking":
        """From the two joblib files of a bundle, without running what they hold; BundleError says what is wrong."""
        scaler = read_estimator(folder / SCALER_FILE, "StandardScaler")
        regression = read_estimator(folder / REGRESSION_FILE, "LogisticRegression")
        if getattr(regression, "multi_class", "auto") == "multinomial":
            raise BundleError(f"{REGRESSION_FILE}: multi_class='multinomial' is not what the stacking uses; fit again.")
        classes = _numbers(regression, REGRESSION_FILE, "classes_", (2,))
        if classes.tolist() != [0, 1]:
            raise BundleError(f"{REGRESSION_FILE}: classes_ must be [0, 1] with 1 for FAKE, but is {classes.tolist()}.")
        scale = _numbers(scaler, SCALER_FILE, "scale_", (NETWORKS,))
        if (scale <= 0).any():
            raise BundleError(f"{SCALER_FILE}: scale_ must be above 0, but is {scale.tolist()}; fit the scaler again.")
        return cls(
            mean=tuple(_numbers(scaler, SCALER_FILE, "mean_", (NETWORKS,)).tolist()),
            scale=tuple(scale.tolist()),
            coefficients=tuple(_numbers(regression, REGRESSION_FILE, "coef_", (1, NETWORKS))[0].tolist()),
            intercept=float(_numbers(regression, REGRESSION_FILE, "intercept_", (1,))[0]),
        )

    def probability(self, probabilities: np.ndarray) -> np.ndarray:
        """P(FAKE) [N] of the networks' probabilities [N, 3]."""
        scaled = (probabilities - np.array(self.mean)) / np.array(self.scale)
        return 1 / (1 + np.exp(-(scaled @ np.array(self.coefficients) + self.intercept)))

    def heatmap_weights(self) -> np.ndarray:
        """What each network's evidence counts in the shared map [3]: the slope of the stacking, absolutes summing to 1.

        All zero where the stacking looks at no network.
        """
        slopes = np.array(self.coefficients) / np.array(self.scale)
        total = np.abs(slopes).sum()
        return slopes / total if total > 0 else slopes


def _numbers(estimator: Estimator, file: str, name: str, shape: tuple[int, ...]) -> np.ndarray:
    value = getattr(estimator, name, None)
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu":
        raise BundleError(
            f"{file}: {name} is not an array of numbers; fit it on the three probabilities and dump it again."
        )
    if value.shape != shape:
        raise BundleError(f"{file}: {name} has shape {value.shape}, not {shape}: it must be fitted on three networks.")
    if not np.isfinite(value).all():
        raise BundleError(f"{file}: {name} has values that are not finite; fit it again.")
    return value.astype(np.float64) if value.dtype.kind == "f" else value
