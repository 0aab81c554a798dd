"""Which face of a picture is learnt from, and how it is cut."""

import numpy as np
from deepfake_client.crops import cut, face_region
from deepfake_client.faces import Face
from deepfake_training.data import read_manifest
from deepfake_training.faces import cut_faces, main_face, read_picture


def face(x: float, y: float, side: float) -> Face:
    return Face((x, y, side, side), 0.9, np.zeros((5, 2)))


def test_the_large_face_nearest_to_the_middle_is_the_main_one():
    beside, middle, tiny = face(0, 40, 60), face(70, 70, 50), face(95, 95, 10)
    assert main_face([beside, middle, tiny], 200, 200) == middle.box


def test_a_picture_without_a_face_has_no_main_one():
    assert main_face([], 200, 200) is None


def test_crops_are_those_that_serving_cuts(manifest, tmp_path):
    rows = read_manifest(manifest, "train")
    box = (20.0, 30.0, 40.0, 50.0)
    shown, crops = cut_faces(rows, lambda image: box, 0.1, tmp_path / "cache")
    assert shown == rows
    for sample, crop in zip(shown, crops, strict=True):
        image = read_picture(sample.path)
        assert np.array_equal(crop, cut(image, face_region(box, 0.1, image.shape[1], image.shape[0])))


def test_pictures_without_a_face_are_left_out(manifest, tmp_path):
    rows = read_manifest(manifest, "train")
    answers = iter([None if number % 3 else (0.0, 0.0, 50.0, 50.0) for number in range(len(rows))])
    shown, crops = cut_faces(rows, lambda image: next(answers), 0.1, tmp_path / "cache")
    assert shown == rows[::3]
    assert len(crops) == len(shown)


def test_crops_are_cut_once(manifest, tmp_path):
    rows = read_manifest(manifest, "train")
    _, first = cut_faces(rows, lambda image: (0.0, 0.0, 50.0, 50.0), 0.1, tmp_path / "cache")

    def never(image: np.ndarray):
        raise AssertionError("cut again")

    shown, second = cut_faces(rows, never, 0.1, tmp_path / "cache")
    assert shown == rows
    assert np.array_equal(first, second)
