"""Figures of a bundle."""

from pathlib import Path

import numpy as np
from deepfake_detector.bundle import Bundle, Title
from deepfake_detector.network import HybridNetwork
from deepfake_detector.profiles import LITE, LITE_POLICY
from deepfake_detector.stacking import Stacking
from deepfake_training.data import Sample, read_manifest
from deepfake_training.evaluate import evaluate, report
from rich.console import Console


def test_a_picture_without_a_face_counts_as_wrong(manifest, tmp_path):
    samples = read_manifest(manifest, "train")[:4]
    stacking = Stacking((0.5,) * 3, (0.2,) * 3, (1.0,) * 3, 0.0)
    networks = {spec.role: HybridNetwork(spec).eval() for spec in LITE}
    bundle = Bundle(Title("lite", "0"), LITE_POLICY, stacking, "sha256:", networks)
    boxes = iter([(0.0, 0.0, 96.0, 96.0), None, None, (0.0, 0.0, 96.0, 96.0)])
    answers = evaluate(bundle, samples, lambda image: next(boxes), tmp_path / "work")
    assert [sample.fake for sample in samples] == [False, True, False, True]
    assert (answers[1] == 0).all() and (answers[2] == 1).all()
    assert ((answers[[0, 3]] > 0) & (answers[[0, 3]] < 1)).all()


def test_the_report_says_what_the_answers_say():
    samples = [Sample(Path(f"{n}"), n % 2 == 1, ("a", "b")[n // 4], str(n), "") for n in range(8)]
    # Source a is told apart; in b every answer is turned round.
    good = np.array([0.1, 0.9, 0.2, 0.8, 0.9, 0.1, 0.8, 0.2])
    console = Console(width=200)
    with console.capture() as captured:
        console.print(report(samples, np.stack([good, 1 - good, good, good], axis=1), ["x", "y", "z"], 0.5))
    rows = {row.split("│")[1].strip(): row.split("│")[2:-1] for row in captured.get().splitlines() if "│" in row}
    cells = {name: [cell.strip() for cell in row] for name, row in rows.items()}
    assert cells["a"] == ["4", "1.000", "0.000", "1.000", "1.000", "1.000", "0.000"]
    assert cells["b"] == ["4", "0.000", "1.000", "0.000", "0.000", "0.000", "1.000"]
    assert cells["all"][-2:] == ["0.500", "0.500"]
