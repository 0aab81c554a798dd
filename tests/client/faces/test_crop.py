"""What the networks get to see of a face."""

import numpy as np
import pytest
from deepfake_client.faces.crop import cut, face_region


def test_the_region_is_square_around_the_box_with_its_margin():
    assert face_region((400, 300, 80, 100), 0.3, 1920, 1080) == (360, 270, 160, 160)


def test_a_region_over_the_edge_is_moved_inside():
    assert face_region((0, 0, 100, 100), 0.3, 640, 480) == (0, 0, 160, 160)
    assert face_region((540, 380, 100, 100), 0.3, 640, 480) == (480, 320, 160, 160)


def test_a_tight_face_picture_is_taken_to_its_shorter_side():
    assert face_region((5, 5, 190, 240), 0.3, 200, 250) == (0, 25, 200, 200)


@pytest.mark.parametrize("box", [(0.2, 0.1, 0.4, 0.3), (-50, -50, 10, 10), (700, 500, 20, 20)])
def test_any_box_gives_a_region_inside_the_picture(box):
    x, y, width, height = face_region(box, 0.3, 640, 480)
    assert x >= 0 and y >= 0 and width >= 1 and height >= 1 and x + width <= 640 and y + height <= 480


def test_a_crop_shows_its_region_alone():
    image = np.zeros((100, 100, 3), np.uint8)
    image[20:60, 30:70] = (10, 200, 90)
    crop = cut(image, (30, 20, 40, 40), 96)
    assert crop.shape == (96, 96, 3) and (crop == (10, 200, 90)).all()
