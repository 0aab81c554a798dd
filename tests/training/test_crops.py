"""Which face of a picture is learnt from, and how it is cut."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from threading import Barrier

import numpy as np
import pytest
from deepfake_client.faces.crop import cut, face_region
from deepfake_client.faces.detect import Face
from deepfake_contract.errors import DamagedMediaError
from deepfake_networks.profiles import BASE_POLICY, LITE_POLICY
from deepfake_training import crops as crops_module
from deepfake_training.crops import cut_crops, face_crop, read_picture
from deepfake_training.data import read_manifest
from deepfake_training.face_search import main_face
from PIL import Image

POLICY = replace(LITE_POLICY, face_margin=0.1)
LANDMARKS = np.zeros((5, 2))


def face(x: float, y: float, side: float) -> Face:
    return Face((x, y, side, side), 0.9, np.zeros((5, 2)))


def at(*box: float) -> Face:
    """A face in that box, its landmarks in the middle."""
    x, y, width, height = box
    return Face((x, y, width, height), 0.9, np.full((5, 2), (x + width / 2, y + height / 2)))


def test_the_large_face_nearest_to_the_middle_is_the_main_one():
    beside, middle, tiny = face(0, 40, 60), face(70, 70, 50), face(95, 95, 10)
    assert main_face([beside, middle, tiny], 200, 200) is middle


def test_a_picture_without_a_face_has_no_main_one():
    assert main_face([], 200, 200) is None


def test_crops_are_those_that_serving_cuts(manifest, tmp_path):
    rows = read_manifest(manifest, "train")
    found = at(20.0, 30.0, 40.0, 50.0)
    crops = cut_crops(rows, nullcontext(lambda image: found), POLICY, tmp_path / "cache")
    assert crops.samples == rows
    for sample, picture in zip(crops.samples, crops.pictures, strict=True):
        image = read_picture(sample.path)
        assert np.array_equal(picture, cut(image, face_region(found.box, 0.1, image.shape[1], image.shape[0]), 224))


def test_landmarks_lie_where_they_lay_in_the_picture(manifest, tmp_path):
    """The box's middle is the crop's: the region lies inside the picture on all sides."""
    rows = read_manifest(manifest, "train")
    crops = cut_crops(rows, nullcontext(lambda image: at(30.0, 35.0, 30.0, 30.0)), POLICY, tmp_path / "cache")
    assert crops.landmarks.shape == (len(rows), 5, 2)
    assert np.allclose(crops.landmarks, 112, atol=4)


def test_pictures_without_a_face_are_left_out(manifest, tmp_path):
    rows = read_manifest(manifest, "train")
    faceless = {read_picture(row.path).tobytes() for number, row in enumerate(rows) if number % 3}

    def find_face(image: np.ndarray) -> Face | None:
        return None if image.tobytes() in faceless else at(0.0, 0.0, 50.0, 40.0)

    crops = cut_crops(rows, nullcontext(find_face), POLICY, tmp_path / "cache")
    assert crops.samples == rows[::3]
    assert len(crops.pictures) == len(crops.landmarks) == len(crops.samples)
    assert crops.face_sides.tolist() == [50] * len(crops.samples)


def test_pictures_are_read_side_by_side_and_kept_in_order(manifest, tmp_path, monkeypatch):
    """With one reader the barrier would break: no picture is done before another is read beside it."""
    monkeypatch.setattr(crops_module, "cores", lambda: 2)
    rows, both = read_manifest(manifest, "train"), Barrier(2, timeout=60)

    def find_face(image: np.ndarray) -> Face:
        both.wait()
        return at(0.0, 0.0, 50.0, 50.0)

    crops = cut_crops(rows, nullcontext(find_face), POLICY, tmp_path / "cache")
    assert crops.samples == rows
    assert np.array_equal(
        crops.pictures[7], face_crop(read_picture(rows[7].path), (0, 0, 50, 50), LANDMARKS, POLICY)[0]
    )


def test_the_policy_says_how_large_crops_are(manifest, tmp_path):
    rows = read_manifest(manifest, "train")
    policy = replace(POLICY, crop_side=96)
    crops = cut_crops(rows, nullcontext(lambda image: at(30.0, 35.0, 30.0, 30.0)), policy, tmp_path / "cache")
    assert crops.pictures.shape == (len(rows), 96, 96, 3)
    assert np.allclose(crops.landmarks, 48, atol=2)


def test_crops_are_cut_once_and_no_detector_is_started_for_them_again(manifest, tmp_path):
    rows = read_manifest(manifest, "train")
    first = cut_crops(rows, nullcontext(lambda image: at(0.0, 0.0, 50.0, 50.0)), POLICY, tmp_path / "cache")
    second = cut_crops(rows, never(), POLICY, tmp_path / "cache")
    assert second.samples == rows
    assert np.array_equal(first.pictures, second.pictures) and np.array_equal(first.landmarks, second.landmarks)


def test_of_two_that_want_the_same_crops_at_once_one_cuts_and_the_other_waits(manifest, tmp_path):
    rows, looked_at = read_manifest(manifest, "train"), []

    def find_face(image: np.ndarray) -> Face:
        looked_at.append(image)
        return at(0.0, 0.0, 50.0, 50.0)

    def crops() -> np.ndarray:
        return cut_crops(rows, nullcontext(find_face), POLICY, tmp_path / "cache").pictures

    with ThreadPoolExecutor(2) as threads:
        one, other = threads.submit(crops), threads.submit(crops)
    assert np.array_equal(one.result(), other.result())
    assert len(looked_at) == len(rows)


def test_another_margin_is_cut_anew(manifest, tmp_path):
    rows = read_manifest(manifest, "train")
    faces = nullcontext(lambda image: at(30.0, 30.0, 30.0, 30.0))
    narrow, wide = (
        cut_crops(rows, faces, replace(POLICY, face_margin=margin), tmp_path / "cache").pictures
        for margin in (0.0, 0.3)
    )
    assert not np.array_equal(narrow, wide)


def test_whole_frames_need_no_faces(manifest, tmp_path):
    rows = read_manifest(manifest, "train")
    crops = cut_crops(rows, never(), BASE_POLICY, tmp_path / "cache")
    assert crops.samples == rows and np.isnan(crops.landmarks).all()
    assert (crops.face_sides == 96).all()
    image = read_picture(rows[0].path)
    assert np.array_equal(crops.pictures[0], cut(image, (0, 0, image.shape[1], image.shape[0]), 224))


def test_some_of_the_crops_keep_what_belongs_to_them(manifest, tmp_path):
    rows = read_manifest(manifest, "train")
    crops = cut_crops(rows, never(), BASE_POLICY, tmp_path / "cache")
    some = crops.of([rows[5], rows[2]])
    assert some.samples == [rows[5], rows[2]]
    assert np.array_equal(some.pictures, crops.pictures[[5, 2]])


@contextmanager
def never():
    raise AssertionError("a face detector was started")
    yield


def test_a_run_that_is_stopped_while_it_cuts_leaves_nothing_for_the_next(manifest, tmp_path):
    """Several runs may cut the same crops at once, so none writes where another reads."""
    rows, cache = read_manifest(manifest, "train"), tmp_path / "cache"
    faces = iter([at(0.0, 0.0, 50.0, 50.0)])

    def stopped(image: np.ndarray) -> Face:
        face = next(faces, None)
        if face is None:
            raise KeyboardInterrupt
        return face

    with pytest.raises(KeyboardInterrupt):
        cut_crops(rows, nullcontext(stopped), POLICY, cache)
    assert list(cache.iterdir()) == []


def test_a_picture_that_was_replaced_is_cut_anew(manifest, tmp_path):
    rows, cache = read_manifest(manifest, "train"), tmp_path / "cache"
    before = cut_crops(rows, never(), BASE_POLICY, cache).pictures[0].copy()
    Image.new("RGB", (80, 80), "red").save(rows[0].path)
    assert not np.array_equal(cut_crops(rows, never(), BASE_POLICY, cache).pictures[0], before)


def test_a_picture_that_can_not_be_read_is_named(tmp_path):
    (tmp_path / "cut.png").write_bytes(b"\x89PNG not whole")
    with pytest.raises(DamagedMediaError, match=r"cut\.png can't be read"):
        read_picture(tmp_path / "cut.png")
