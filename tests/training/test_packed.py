"""Reading a pack where nothing else is at hand."""

import os
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from deepfake_client.faces.detect import Face
from deepfake_contract.errors import UsageError
from deepfake_networks.profiles import LITE_POLICY
from deepfake_training.augment import LIGHT
from deepfake_training.batches import batches
from deepfake_training.crops import cut_crops
from deepfake_training.data import read_manifest
from deepfake_training.pack import pack
from deepfake_training.packed import read_pack
from deepfake_training.pairs import PairOrder, blendable
from deepfake_training.recipes import Mixture
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
NOT_THERE = ("av", "tritonclient", "grpc", "matplotlib", "skimage", "onnx", "onnxruntime", "jinja2", "msgspec")


@pytest.fixture
def folder(manifest, tmp_path, whole_picture) -> Path:
    for number in range(4):
        Image.new("RGB", (60, 60), "white").save(tmp_path / f"absent{number}.png")
    pack(manifest, tmp_path / "pack", nullcontext(whole_picture), score_only=["val"], part_bytes=300_000)
    return tmp_path / "pack"


def test_crops_are_those_that_are_cut_from_the_manifest(folder, manifest, tmp_path, whole_picture):
    rows = read_manifest(manifest, "train")
    expected = cut_crops(rows, nullcontext(whole_picture), LITE_POLICY, tmp_path / "cache")
    packed = read_pack(folder, tmp_path / "work", workers=2)
    assert [str(sample.path) for sample in packed.learn.samples] == [sample.path.name for sample in rows]
    assert [replace(sample, path=None) for sample in packed.learn.samples] == [replace(row, path=None) for row in rows]
    assert np.array_equal(packed.learn.pictures, expected.pictures)
    assert np.allclose(packed.learn.landmarks, expected.landmarks, atol=0.01)
    assert np.allclose(packed.learn.face_sides, expected.face_sides)


def test_what_is_only_scored_is_never_in_a_batch(folder, tmp_path):
    """Those pictures are white, and no other is."""
    packed = read_pack(folder, tmp_path / "work", workers=1)
    assert [row.split for row in packed.score_rows] == ["val"] * 4
    assert [str(sample.path) for sample in packed.score.samples] == [f"absent{number}.png" for number in range(4)]
    assert (packed.score.pictures == 255).all()
    assert not set(packed.score.samples) & set(packed.learn.samples)
    order = PairOrder(packed.learn.samples, 8, 0, blendable(packed.learn.landmarks, 224))
    made = batches(packed.learn, order, Mixture(0.3, 0.3, replace(LIGHT, spared=1.0)), 0)
    seen = [np.asarray(next(made).pictures) for _ in range(6)]
    assert max((pictures == 255).all(axis=-1).mean(axis=(1, 2)).max() for pictures in seen) < 0.5


def test_crops_are_cut_once_and_the_parts_not_needed_again(folder, tmp_path):
    first = read_pack(folder, tmp_path / "work", workers=1)
    for part in folder.glob("*.zip"):
        part.unlink()
    second = read_pack(folder, tmp_path / "work", workers=1)
    assert np.array_equal(first.learn.pictures, second.learn.pictures)
    assert first.learn.samples == second.learn.samples


def test_another_margin_or_side_is_cut_anew(manifest, tmp_path):
    face = Face((30.0, 30.0, 40.0, 40.0), 0.9, np.full((5, 2), 50.0))
    pack(manifest, tmp_path / "pack", nullcontext(lambda image: face))
    narrow, wide, small = (
        read_pack(tmp_path / "pack", tmp_path / "work", 1, replace(LITE_POLICY, **changed)).learn.pictures
        for changed in ({"face_margin": 0.0}, {"face_margin": 0.3}, {"crop_side": 96})
    )
    assert small.shape[1:] == (96, 96, 3)
    assert not np.array_equal(narrow, wide)


def test_compressed_pictures_are_told_from_others(manifest, tmp_path, whole_picture):
    pack(manifest, tmp_path / "pack", nullcontext(whole_picture), h264=0.5)
    learn = read_pack(tmp_path / "pack", tmp_path / "work", 1).learn
    assert len(learn.samples) == 72 and len({sample.path for sample in learn.samples}) == 72
    assert all(sample.compressed == (sample.path.suffix == ".h264") for sample in learn.samples)


def test_a_damaged_part_is_named(folder, tmp_path):
    part = folder / "pictures-01.zip"
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.write_bytes(data)
    with pytest.raises(UsageError, match=r"pictures-01\.zip is damaged"):
        read_pack(folder, tmp_path / "work", workers=2)
    assert list((tmp_path / "work").iterdir()) == []


def test_a_missing_part_is_named(folder, tmp_path):
    (folder / "pictures-01.zip").unlink()
    with pytest.raises(UsageError, match=r"pictures-01\.zip is missing"):
        read_pack(folder, tmp_path / "work", workers=2)


def test_a_damaged_table_is_named(folder, tmp_path):
    table = folder / "rows.csv"
    table.write_text(table.read_text().replace("real0.png,real", "real0.png,fake"))
    with pytest.raises(UsageError, match=r"rows\.csv is damaged"):
        read_pack(folder, tmp_path / "work", workers=1)


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "is no pack"), ("{", "can't be read"), ('{"format": 99}', "format 99"), ('{"format": 1}', "can't be read")],
)
def test_a_folder_that_is_no_pack_is_refused(tmp_path, content, said):
    if content is not None:
        (tmp_path / "pack.json").write_text(content)
    with pytest.raises(UsageError, match=said):
        read_pack(tmp_path, tmp_path / "work", workers=1)


def test_a_part_outside_of_the_folder_is_refused(folder, tmp_path):
    index = folder / "pack.json"
    index.write_text(index.read_text().replace("pictures-00.zip", "../pictures-00.zip"))
    with pytest.raises(UsageError, match="not a file of its folder"):
        read_pack(folder, tmp_path / "work", workers=1)


def test_reading_needs_nothing_that_a_machine_for_training_may_lack(folder, tmp_path):
    script = f"""
import sys
for name in {NOT_THERE}:
    sys.modules[name] = None  # an import of it fails
from deepfake_training import batches, pairs, stack, train
from deepfake_training import network_training
from deepfake_training.packed import read_pack
from pathlib import Path
packed = read_pack(Path({str(folder)!r}), Path({str(tmp_path / "work")!r}), 2)
print(len(packed.learn.samples), len(packed.score.samples))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, env=os.environ, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["48", "4"]
