"""The stacking: a scaler and a logistic regression that make one probability out of the networks' own."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Stacking:
    """P(FAKE) = 1 / (1 + exp(−logit)), logit = Σ coefficientᵢ · (probabilityᵢ − meanᵢ) / scaleᵢ + intercept.

    `mean`, `scale` and `coefficients` have one number per network, in the bundle's order. ValueError names a value that
    is out of range.
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    coefficients: tuple[float, ...]
    intercept: float

    def __post_init__(self) -> None:
        lengths = {len(self.mean), len(self.scale), len(self.coefficients)}
        if len(lengths) > 1 or 0 in lengths:
            raise ValueError("mean, scale and coefficients must have one number for each network")
        if not all(map(math.isfinite, (*self.mean, *self.scale, *self.coefficients, self.intercept))):
            raise ValueError("mean, scale, coefficients and intercept must be finite")
        if min(self.scale) <= 0:
            raise ValueError(f"scale must be above 0, but is {list(self.scale)}")

    def terms(self, probabilities: Sequence[Any]) -> list[Any]:
        """What each network adds to the logit, in the shape of its probabilities: one number, or one array, per
        network."""
        parts = zip(self.coefficients, probabilities, self.mean, self.scale, strict=True)
        return [coefficient * (probability - mean) / scale for coefficient, probability, mean, scale in parts]

    def heatmap_weights(self) -> tuple[float, ...]:
        """How much each network's evidence counts in the heatmap: the logit's slopes, absolute values summing to 1.

        All zero where the stacking ignores every network.
        """
        slopes = [coefficient / scale for coefficient, scale in zip(self.coefficients, self.scale, strict=True)]
        total = sum(map(abs, slopes))
        return tuple(slope / total if total else 0.0 for slope in slopes)
