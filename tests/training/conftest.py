"""Made-up sources of labelled faces, from two free pictures."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from deepfake_client.faces.detect import Face
from PIL import Image

SIDE = 96  # pixels


@pytest.fixture
def manifest(tmp_path: Path, write_manifest: Callable[[Path], Path]) -> Path:
    """One for the test alone, in its folder."""
    return write_manifest(tmp_path)


@pytest.fixture(scope="session")
def write_manifest(astronaut: np.ndarray, admiral: np.ndarray) -> Callable[[Path], Path]:
    """24 pairs in two sources and twelve groups, plus rows of the split val whose pictures do not exist.

    A fake is its original with red and blue exchanged: a difference that a network learns in a few steps.
    """
    return lambda folder: _write_manifest(folder, astronaut, admiral)


def _write_manifest(folder: Path, astronaut: np.ndarray, admiral: np.ndarray) -> Path:
    random = np.random.default_rng(0)
    faces = [Image.fromarray(astronaut[40:240, 120:320]), Image.fromarray(admiral[50:350, 110:410])]
    rows = []
    for number in range(24):
        left, top = random.integers(0, 40, 2)
        real = faces[number % 2].resize((SIDE + 40, SIDE + 40)).crop((left, top, left + SIDE, top + SIDE))
        source, group = ("swaps", "stills")[number % 2], f"group{number // 2}"
        for label, image in (("real", real), ("fake", Image.merge("RGB", real.split()[::-1]))):
            name = f"{label}{number}.png"
            image.save(folder / name)
            rows.append([name, label, source, group, "train", f"clip{number}" if source == "swaps" else ""])
    rows += [[f"absent{number}.png", "real", "swaps", f"val{number}", "val", ""] for number in range(4)]
    path = folder / "manifest.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["path", "label", "source", "group", "split", "original"], *rows])
    return path


LANDMARKS = np.array([[0.35, 0.4], [0.65, 0.4], [0.5, 0.58], [0.38, 0.75], [0.62, 0.75]], np.float32)


@pytest.fixture(scope="session")
def whole_picture() -> Callable[[np.ndarray], Face]:
    """Stands for the face detector where the pictures are faces by construction."""

    def face(image: np.ndarray) -> Face:
        height, width = image.shape[:2]
        return Face((0.0, 0.0, float(width), float(height)), 0.9, LANDMARKS * (width, height))

    return face
