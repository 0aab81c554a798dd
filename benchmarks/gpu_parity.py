"""How far answers are from the CPU's, over crops whose maps rounding doesn't decide."""

import numpy as np
from bare import Tensors
from deepfake_contract.tensors import EVIDENCE, HEATMAP, MODEL_PROBABILITIES, PROBABILITY
from gpu_findings import Parity
from gpu_table import MAP_LIMIT, PROBABILITY_LIMIT


def compare(answers: Tensors, reference: Tensors, decided: np.ndarray) -> tuple[float, float, float, bool]:
    """(largest difference of a probability; of a map in the worst and in the middle decided crop, as a part of the
    largest; whether all is within the limits) over the tensors that both have. `decided` is bool [N]."""
    probability, worst, middle = 0.0, [0.0], [0.0]
    shared = answers.keys() & reference.keys()
    if not {PROBABILITY.name, MODEL_PROBABILITIES, HEATMAP.name} <= shared:
        raise ValueError(f"The answers lack the ensemble's outputs: they have {', '.join(sorted(answers))}.")
    for name in shared:
        given, wanted = answers[name].astype(np.float64), reference[name].astype(np.float64)
        if name.endswith(PROBABILITY.name) or name == MODEL_PROBABILITIES:
            probability = max(probability, _largest(given - wanted))
        elif name.endswith((HEATMAP.name, EVIDENCE.name)) and decided.any():
            differences = np.abs(given - wanted)[decided].max(axis=(1, 2)) / np.abs(wanted[decided]).max()
            worst.append(_largest(differences))
            middle.append(float(np.median(differences)))
    held = probability <= PROBABILITY_LIMIT and max(worst) <= MAP_LIMIT and bool(decided.any())
    return probability, max(worst), max(middle), held


def parity_of(
    profile: str, precision: str, way: str, answers: Tensors, reference: Tensors, decided: np.ndarray
) -> Parity:
    probability, worst, middle, held = compare(answers, reference, decided)
    return Parity(profile, precision, way, len(decided), int(decided.sum()), probability, worst, middle, held)


def _largest(differences: np.ndarray) -> float:
    """Infinite for what is not a number: that is no answer."""
    return float(np.abs(np.nan_to_num(differences, nan=np.inf)).max())
