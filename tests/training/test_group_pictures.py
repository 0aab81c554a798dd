"""Pictures of several real faces, and how often they are called FAKE."""

import csv

import numpy as np
import pytest
from deepfake_contract.errors import UsageError
from deepfake_training.group_pictures import GREY, LARGEST_FACE, TOGETHER, main, put_together, tile_of
from PIL import Image


@pytest.fixture
def manifest(tmp_path, astronaut, admiral):
    """Six pictures of each of two faces, lighter and darker, beside one without a face and a fake."""
    rows = [("none.png", "real"), ("fake.png", "fake")]
    Image.new("RGB", (200, 200)).save(tmp_path / "none.png")
    Image.fromarray(astronaut).save(tmp_path / "fake.png")
    for number in range(6):
        for name, face in (("astronaut", astronaut), ("admiral", admiral)):
            lighter = np.clip(face.astype(int) + 6 * number, 0, 255).astype(np.uint8)
            Image.fromarray(lighter).save(tmp_path / f"{name}{number}.png")
            rows.append((f"{name}{number}.png", "real"))
    with (tmp_path / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label", "split"), *((*row, "val") for row in rows)])
    return tmp_path / "manifest.csv"


def test_all_faces_put_together_are_found_and_counted(manifest, triton, capsys):
    assert main([str(manifest), "--split", "val", "--triton", triton]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["faces", "pictures", "found"]
    assert [line.split()[:3] for line in lines] == [[str(n), str(12 // n), f"{n:.2f}"] for n in TOGETHER]


def test_too_few_faces_are_told(manifest, triton):
    lines = manifest.read_text().splitlines()
    manifest.write_text("\n".join(line for line in lines if "admiral" not in line))
    with pytest.raises(UsageError, match="Only 6 pictures show one whole face, but 12 are needed"):
        main([str(manifest), "--split", "val", "--triton", triton])


def test_a_tile_has_half_a_face_around_and_grey_beyond_the_picture():
    image = np.full((100, 120, 3), 200, np.uint8)
    tile = tile_of(image, (50.0, 0.0, 40.0, 50.0))
    assert tile.shape == (100, 100, 3)
    assert np.all(tile[:25] == GREY) and np.all(tile[25:, :] == 200)
    assert tile_of(np.zeros((900, 900, 3), np.uint8), (200.0, 200.0, 448.0, 400.0)).shape[0] == 2 * LARGEST_FACE


def test_tiles_of_any_size_find_a_place():
    tiles = [np.full((side, side, 3), side, np.uint8) for side in (10, 30, 20, 16, 8)]
    picture = put_together(tiles)
    assert picture.shape == (60, 90, 3)
    for tile in tiles:
        side = tile.shape[0]
        assert np.count_nonzero(picture[:, :, 0] == side) == side * side
