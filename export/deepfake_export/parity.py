"""Whether the exported models answer as PyTorch and scikit-learn do."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from deepfake_contract.tensors import (
    CROPS,
    ENSEMBLE,
    EVIDENCE,
    FACE_DETECTOR,
    FACE_SIDE,
    FRAME,
    HEATMAP,
    META_MODEL,
    MODEL_PROBABILITIES,
    PROBABILITY,
)
from deepfake_networks.bundle import Bundle

from deepfake_export.examples import face_sides, frames
from deepfake_export.reference import ensemble_reference, face_reference, stacking_reference
from deepfake_export.rounding import Recheck, map_recheck, probability_recheck
from deepfake_export.sessions import Sessions, Tensors

PROBABILITY_TOLERANCE = 1e-4  # of a probability, absolute
RELATIVE_TOLERANCE = 1e-3  # of anything else, as a part of the reference's largest absolute value
HALF_PROBABILITY_TOLERANCE = 2e-2  # of networks in float16
HALF_MAP_TOLERANCE = 1e-2  # of a map from networks in float16, likewise, for the crop in the middle
AT_ONCE = 2  # crops of a recheck: it takes long, and one that a wrong graph fails is enough
PROBABILITIES = (PROBABILITY.name, MODEL_PROBABILITIES)
MAPS = (EVIDENCE.name, HEATMAP.name)


@dataclass(frozen=True)
class Row:
    """The largest difference of one output of one model, and the largest that passes.

    Where `worst` is given, `difference` is the middle crop's and `worst` the largest of all: rounding to float16 moves
    the maps of single crops across a kink, however good the conversion. `left_out` counts the crops that are not
    compared, since rounding decides the answer.
    """

    model: str
    output: str
    difference: float
    allowed: float
    worst: float | None = None
    left_out: int = 0

    @property
    def passed(self) -> bool:
        return self.difference <= self.allowed  # false for NaN


@dataclass(frozen=True)
class Parity:
    """One row per output of each model; `undecided`: crops whose heatmap is not compared, since rounding decides it;
    `batch_s`: the time of the slowest step's batch on one thread, in seconds."""

    rows: list[Row]
    crops: int
    undecided: int
    batch_s: float

    @property
    def passed(self) -> bool:
        return all(row.passed for row in self.rows)

    def __str__(self) -> str:
        maps = f"; maps over {self.crops - self.undecided}" if self.undecided else ""
        lines = [
            f"Parity over {self.crops} crops{maps}",
            f"{'model':<19}{'output':<21}{'difference':>12}{'allowed':>10}",
        ]
        for row in self.rows:
            verdict = "" if row.worst is None else f"  middle crop; worst {row.worst:.2e}"
            verdict += f"  left out: {row.left_out}" if row.left_out else ""
            verdict += "" if row.passed else "  TOO LARGE"
            lines.append(f"{row.model:<19}{row.output:<21}{row.difference:>12.2e}{row.allowed:>10.1e}{verdict}")
        if any(row.left_out for row in self.rows):
            lines.append(
                "Left out: crops whose answer rounding decides; PyTorch in float32 and in float64 disagree there, too."
            )
        return "\n".join(lines)


def measure(bundle: Bundle, repository: Path, crops: np.ndarray, batch_size: int, half: bool = False) -> Parity:
    """Compares every model of the written repository, each step by itself and the chain from crops to answer.

    A network's answer that differs from PyTorch's is compared with float64's, too, and left out where PyTorch disagrees
    with itself by as much.
    `half`: its networks are in float16. ONNX Runtime's CPU kernels keep float32 between most of their steps, so a GPU's
    difference is somewhat larger; benchmarks/gpu.py measures it.
    """
    sessions, description = Sessions(repository, threads=1), bundle.description
    sides = face_sides(len(crops))
    given = {CROPS: crops} | ({FACE_SIDE.name: sides} if description.wants_face_side else {})
    expected = ensemble_reference(bundle, crops, sides) | given
    served = sessions.run_ensemble(given)
    rows, slowest_s = [], 0.0
    for step in sessions.steps:
        inputs: Tensors = {name: _as_input(expected[ours]) for name, ours in step.input_map.items()}
        start = time.perf_counter()
        outputs = sessions.run(step.model_name, inputs)
        slowest_s = max(slowest_s, time.perf_counter() - start)
        wanted = stacking_reference(description, inputs) if step.model_name == META_MODEL else expected
        for name, ours in sorted(step.output_map.items()):
            in_half = half and step.model_name in bundle.networks
            row = _row(step.model_name, name, outputs[name], wanted[ours], in_half)
            if step.model_name in bundle.networks:
                network = bundle.networks[step.model_name]
                recheck = probability_recheck(network) if name == PROBABILITY.name else map_recheck([network])
                row, expected[ours] = _settled(row, outputs[name], expected[ours], in_half, crops, sides, recheck)
            rows.append(row)
    expected |= stacking_reference(description, expected)  # of what is left
    left = np.asarray(np.isnan(expected[MODEL_PROBABILITIES]).any(axis=1))
    answers = [spec.name for spec in description.outputs]
    chain = {name: _row(ENSEMBLE, name, served[name], expected[name], half, left) for name in answers}
    recheck = map_recheck(bundle.networks.values(), description.stacking.heatmap_weights())
    name = HEATMAP.name
    chain[name], expected[name] = _settled(chain[name], served[name], expected[name], half, crops, sides, recheck)
    rows = [*chain.values(), *rows, *_face_rows(sessions)]
    undecided = int(np.isnan(expected[HEATMAP.name]).any(axis=(1, 2)).sum())
    return Parity(rows, len(crops), undecided, slowest_s / len(crops) * batch_size)


def _as_input(value: np.ndarray) -> np.ndarray:
    return value if value.dtype == np.uint8 else np.nan_to_num(value).astype(np.float32)


def _settled(
    row: Row,
    value: np.ndarray,
    expected: np.ndarray,
    half: bool,
    crops: np.ndarray,
    sides: np.ndarray,
    recheck: Recheck,
) -> tuple[Row, np.ndarray]:
    """A row after a recheck of the crops that fail it, and what is expected then [N, …]: float64's answer, or NaN
    where rounding explains the difference."""
    rest = tuple(range(1, expected.ndim))
    expected, seen, left = expected.copy(), np.zeros(len(crops), bool), np.zeros(len(crops), bool)
    while not row.passed and value.shape == expected.shape:
        close = np.abs(value - expected).max(axis=rest) <= row.allowed  # false for NaN, too
        doubtful = np.flatnonzero(~close & ~seen)[:AT_ONCE]
        if not doubtful.size:
            break
        right, excused = recheck(crops[doubtful], sides[doubtful], value[doubtful])
        differences = np.abs(value[doubtful] - right).max(axis=rest)
        expected[doubtful] = right
        expected[doubtful[excused]] = np.nan
        seen[doubtful], left[doubtful] = True, excused
        row = _row(row.model, row.output, value, expected, half, left)
        if not half and not (excused | (differences <= row.allowed)).all():
            break  # the graph is wrong; in float16 the middle map tells
    return row, expected


def _row(
    model: str,
    output: str,
    value: np.ndarray,
    expected: np.ndarray,
    half: bool = False,
    left: np.ndarray | None = None,
) -> Row:
    """Compares what the reference knows: what a recheck `left` out [N] is NaN there, as are shared maps of a network's
    map that was. Most must be known, or left out so."""
    rest = tuple(range(1, expected.ndim))
    excused = np.zeros(len(expected), bool) if left is None else left
    excused = np.broadcast_to(np.expand_dims(excused, rest), expected.shape)
    decided = ~np.isnan(expected) if output in MAPS else ~(np.isnan(expected) & excused)
    known = decided | excused
    left_out = int((~decided).any(axis=rest).sum())
    scale = float(np.abs(expected[decided]).max(initial=0))
    if output in PROBABILITIES:
        allowed = HALF_PROBABILITY_TOLERANCE if half else PROBABILITY_TOLERANCE
    else:
        allowed = scale * (HALF_MAP_TOLERANCE if half else RELATIVE_TOLERANCE)
    if value.shape != expected.shape or known.sum() < expected.size / 2:
        return Row(model, output, float("inf"), allowed)
    differences = np.abs(value - expected)
    worst = float(differences[decided].max(initial=0))
    if half and output in MAPS and decided.any():
        of_crops = differences.max(axis=(1, 2))[decided.all(axis=(1, 2))]
        return Row(model, output, float(np.median(of_crops)), allowed, worst, left_out)
    return Row(model, output, worst, allowed, left_out=left_out)


def _face_rows(sessions: Sessions) -> list[Row]:
    pairs = [(sessions.run(FACE_DETECTOR, {FRAME.name: frame}), face_reference(frame)) for frame in frames()]
    rows = []
    for name in pairs[0][0]:
        values, expected = (np.concatenate([answers[name] for answers in side]) for side in zip(*pairs, strict=True))
        rows.append(_row(FACE_DETECTOR, name, values, expected))
    return rows
