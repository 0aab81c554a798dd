"""Faces of every size are found, once each."""

import threading
from itertools import pairwise

import numpy as np
import pytest
from deepfake_client.analysis.triton import Triton
from deepfake_client.faces.detect import MAX_OVERLAP, PICTURE_SIDE, TILE_OVERLAP, TILE_SIDE, _spans, find_faces, overlap
from PIL import Image


@pytest.fixture(scope="module")
def search(triton):
    connection = Triton(triton, deadline_s=60)
    yield connection.face_candidates
    connection.close()


def pasted(canvas: tuple[int, int], *parts: tuple[np.ndarray, float, int, int]) -> np.ndarray:
    """A grey picture (width, height) with pictures in it, each with its scale, x and y."""
    picture = Image.new("RGB", canvas, (120, 130, 110))
    for array, scale, x, y in parts:
        size = round(array.shape[1] * scale), round(array.shape[0] * scale)
        picture.paste(Image.fromarray(array).resize(size, Image.Resampling.LANCZOS), (x, y))
    return np.asarray(picture)


def test_boxes_and_landmarks_are_in_pixels_of_the_picture(search, astronaut):
    (small,) = find_faces(astronaut, search)
    (large,) = find_faces(np.asarray(Image.fromarray(astronaut).resize((2048, 2048))), search)
    assert np.array(large.box) == pytest.approx(4 * np.array(small.box), abs=24)
    left_eye, right_eye = small.landmarks[:2]
    assert left_eye == pytest.approx([204, 101], abs=4) and right_eye == pytest.approx([247, 103], abs=4)


def test_a_face_too_small_at_first_is_found_larger(search, astronaut):
    (face,) = find_faces(pasted((1920, 1080), (astronaut, 0.4, 700, 300)), search)
    assert face.box[0] == pytest.approx(700 + 0.4 * 178, abs=6)


def test_small_faces_beside_a_large_one_are_found_in_a_picture(search, astronaut, admiral):
    picture = pasted((3000, 2000), (admiral, 4, 0, 0), (astronaut, 0.25, 2500, 300), (astronaut, 1.5, 2150, 1200))
    assert [round(face.side, -1) for face in find_faces(picture, search, thorough=True)] == [900, 180, 30]


def test_a_face_on_the_border_between_tiles_is_found_once(search, astronaut):
    picture = pasted((2400, 1400), (astronaut, 0.3, 1060, 900), (astronaut, 0.3, 1180, 100))
    assert len(find_faces(picture, search, thorough=True)) == 2


def test_a_face_that_tiles_cut_is_found_whole(search, astronaut):
    """A tile's edge leaves parts that look as much like a face as the whole."""
    for scale, x, y in ((1.9, 300, 744), (1.9, 300, 721), (2.2, 300, 664), (2.35, 300, 704)):
        picture = pasted((4000, 3000), (astronaut, scale, x, y))
        (face,) = find_faces(picture, search, thorough=True)
        assert face.box == pytest.approx((x + scale * 178, y + scale * 65, scale * 93, scale * 122), abs=32)


def test_tiles_cover_every_length_and_overlap_by_the_largest_face_they_may_find():
    for length in range(1, PICTURE_SIDE + 1):
        spans = _spans(length)
        assert spans[0][0] == 0 and spans[-1][1] == length
        assert all(end - begin <= TILE_SIDE for begin, end in spans)
        assert all(end - begin >= TILE_OVERLAP - 1 for (_, end), (begin, _) in pairwise(spans))


def test_tiles_are_searched_two_at_once(search, astronaut):
    """Both of the server's detectors work: neither call returns before the other was made."""
    together = threading.Barrier(2)
    first = True

    def waiting(picture: np.ndarray):
        nonlocal first
        if not first:
            together.wait(timeout=60)
        first = False  # the whole picture is searched by itself
        return search(picture)

    (face,) = find_faces(pasted((1500, 900), (astronaut, 0.5, 700, 300)), waiting, thorough=True)
    assert face.side == pytest.approx(60, abs=8)


@pytest.mark.parametrize("width", [8000, 7700, 5000])
def test_small_faces_of_a_large_picture_are_found_where_they_are(search, astronaut, width):
    (face,) = find_faces(pasted((width, 2400), (astronaut, 0.6, width - 700, 1500)), search, thorough=True)
    assert face.box == pytest.approx((width - 700 + 0.6 * 178, 1500 + 0.6 * 65, 0.6 * 93, 0.6 * 122), abs=10)


@pytest.mark.parametrize("scale", [0.5, 1, 8])
def test_a_picture_that_is_nothing_but_a_face_has_one(search, astronaut, scale):
    crop = Image.fromarray(astronaut[62:172, 180:268])
    picture = np.asarray(crop.resize((round(88 * scale), round(110 * scale)), Image.Resampling.LANCZOS))
    assert len(find_faces(picture, search)) == 1


def test_boxes_lie_inside_the_picture(search, astronaut):
    picture = astronaut[90:, 215:]
    height, width = picture.shape[:2]
    for x, y, box_width, box_height in (face.box for face in find_faces(picture, search)):
        assert x >= 0 and y >= 0 and x + box_width <= width and y + box_height <= height


@pytest.mark.parametrize("thorough", [False, True])
def test_a_picture_without_a_face_has_none(search, temple, thorough):
    assert find_faces(temple, search, thorough) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (5000, 2)])
def test_pictures_of_odd_shapes_have_no_face(search, shape):
    assert find_faces(np.full((*shape, 3), 90, np.uint8), search, thorough=True) == []


def test_overlap_is_the_part_of_the_smaller_box():
    assert overlap((0, 0, 10, 10), (5, 0, 100, 10)) == pytest.approx(0.5)
    assert overlap((0, 0, 10, 10), (10, 0, 10, 10)) == 0
    assert overlap((0, 0, 100, 100), (40, 40, 10, 10)) > MAX_OVERLAP
