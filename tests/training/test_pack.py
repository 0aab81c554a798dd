"""What a pack holds, and that it is whole or not there at all."""

import csv
import io
import json
import zipfile
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from deepfake_client.faces.detect import Face
from deepfake_contract.errors import UsageError
from deepfake_training.crops import read_picture
from deepfake_training.data import NEEDED, manifest_rows
from deepfake_training.pack import main, pack
from deepfake_training.pack_index import Row, read_index
from deepfake_training.pack_parts import Parts
from deepfake_training.pack_pictures import LARGEST_SIDE, as_video, stored_picture
from deepfake_training.pack_video import drawn_crfs
from PIL import Image


@pytest.fixture
def found(manifest, tmp_path, whole_picture) -> Path:
    """The manifest's pack: its train rows, with the val rows' pictures to score."""
    for number in range(4):
        Image.new("RGB", (60, 60), "white").save(tmp_path / f"absent{number}.png")
    pack(manifest, tmp_path / "pack", nullcontext(whole_picture), score_only=["val"])
    return tmp_path / "pack"


def stored_bytes(folder: Path, row: Row) -> bytes:
    with zipfile.ZipFile(folder / row.part) as archive:
        assert archive.getinfo(row.file).compress_type == zipfile.ZIP_STORED
        return archive.read(row.file)


def rows_of(reals: int, fakes: int, source: str, original: bool) -> list[dict[str, str]]:
    return [
        {"path": f"{source}/{label}{at}", "label": label, "source": source, "original": f"clip{at}" if original else ""}
        for label, count in (("real", reals), ("fake", fakes))
        for at in range(count)
    ]


def test_every_picture_of_the_splits_is_there_with_what_is_known_of_it(found, manifest):
    rows, _ = read_index(found)
    given = manifest_rows(manifest, ["train", "val"], NEEDED)
    for row, line in zip(rows, given, strict=True):
        assert (row.path, row.label, row.source) == (line["path"], line["label"], line["source"])
        assert (row.group, row.original, row.split) == (line["group"], line["original"], line["split"])
        assert row.use == ("learn" if line["split"] == "train" else "score")


def test_pictures_that_are_not_small_jpeg_files_are_stored_without_loss(found, manifest):
    row = read_index(found)[0][0]
    assert row.stored == "region"
    picture = read_picture(io.BytesIO(stored_bytes(found, row)))
    assert np.array_equal(picture, read_picture(manifest.parent / row.path))


def test_a_small_jpeg_file_keeps_its_bytes(tmp_path, astronaut):
    path = tmp_path / "small.jpg"
    Image.fromarray(astronaut[:200, :240]).save(path, quality=60)
    face = Face((10.0, 20.0, 100.0, 120.0), 0.9, np.full((5, 2), 50.0))
    stored = stored_picture(path, read_picture(path), face)
    assert (stored.data, stored.how, stored.box) == (path.read_bytes(), "original", face.box)


def test_a_large_picture_is_reduced_to_the_face_and_half_of_it_on_each_side(tmp_path, astronaut):
    path = tmp_path / "large.jpg"
    Image.fromarray(astronaut).resize((2048, 2048)).save(path)
    face = Face(
        (700.0, 250.0, 400.0, 500.0), 0.9, np.array([[700, 250], [1100, 750], [900, 500], [800, 600], [1000, 600]])
    )
    stored = stored_picture(path, read_picture(path), face)
    assert stored.how == "region"
    height, width = stored.picture.shape[:2]
    assert height == LARGEST_SIDE and width == round(0.8 * LARGEST_SIDE)
    x, y, box_width, box_height = stored.box
    assert np.allclose(
        [x / width, y / height, box_width / width, box_height / height], [0.25, 0.25, 0.5, 0.5], atol=0.01
    )
    assert np.allclose(stored.landmarks[0], (x, y)) and np.allclose(
        stored.landmarks[1], (x + box_width, y + box_height)
    )


def test_a_region_ends_where_the_picture_does(tmp_path, astronaut):
    path = tmp_path / "corner.png"
    Image.fromarray(astronaut[:300, :300]).save(path)
    face = Face((0.0, 200.0, 90.0, 100.0), 0.9, np.full((5, 2), 250.0))
    stored = stored_picture(path, read_picture(path), face)
    assert np.array_equal(stored.picture, astronaut[150:300, :135])
    assert np.allclose(stored.box, (0, 50, 90, 100)) and np.allclose(stored.landmarks, (250, 100))


def test_a_picture_that_lies_on_its_side_is_packed_upright(tmp_path, astronaut):
    path = tmp_path / "turned.png"
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter clockwise
    Image.fromarray(astronaut[:200, :300]).save(path, exif=exif)
    upright = read_picture(path)
    assert upright.shape[:2] == (300, 200)
    stored = stored_picture(path, upright, Face((0.0, 0.0, 200.0, 300.0), 0.9, np.zeros((5, 2))))
    assert np.array_equal(read_picture(io.BytesIO(stored.data)), upright)


def test_a_video_picture_is_a_little_compressed_and_loses_an_odd_row(tmp_path, astronaut):
    path = tmp_path / "odd.jpg"
    Image.fromarray(astronaut[:201, :240]).save(path, quality=95)
    stored = stored_picture(path, read_picture(path), Face((10.0, 20.0, 100.0, 120.0), 0.9, np.zeros((5, 2))))
    mild, hard = as_video(stored, 18), as_video(stored, 40)
    assert mild.picture.shape == (200, 240, 3) and (mild.how, mild.box) == ("h264-18", stored.box)
    assert len(hard.data) < len(mild.data)
    lost = [np.abs(each.picture.astype(int) - stored.picture[:200]).mean() for each in (mild, hard)]
    assert 0 < lost[0] < lost[1] < 20
    kept = read_picture(io.BytesIO(hard.data)).astype(int)
    assert np.abs(kept - hard.picture).mean() < 2


def test_a_real_and_its_fakes_are_compressed_together_at_one_crf():
    rows = rows_of(40, 40, "swaps", original=True)
    crfs = drawn_crfs(rows, 0.25, seed=1)
    assert len(crfs) == 20 and len(set(crfs.values())) > 3
    assert all(18 <= crf <= 40 for crf in crfs.values())
    for path, crf in crfs.items():
        assert crfs[path.replace("real", "fake") if "real" in path else path.replace("fake", "real")] == crf


def test_where_no_original_is_known_as_many_of_each_class_are_compressed_at_the_same_crfs():
    crfs = drawn_crfs(rows_of(60, 40, "stills", original=False), 0.25, seed=1)
    by_label = {label: sorted(crf for path, crf in crfs.items() if label in path) for label in ("real", "fake")}
    assert len(by_label["real"]) == 10 and by_label["real"] == by_label["fake"]


def test_reals_alone_are_compressed_too():
    assert len(drawn_crfs(rows_of(40, 0, "portraits", original=False), 0.25, seed=1)) == 10


def test_the_seed_alone_decides_what_is_compressed():
    rows = rows_of(40, 40, "swaps", True) + rows_of(40, 40, "stills", False)
    assert drawn_crfs(rows, 0.25, 1) == drawn_crfs(rows[::-1], 0.25, 1) != drawn_crfs(rows, 0.25, 2)


def test_compressed_pictures_are_further_rows_of_what_is_learnt_from(manifest, tmp_path, whole_picture):
    for number in range(4):
        Image.new("RGB", (60, 60), "white").save(tmp_path / f"absent{number}.png")
    pack(manifest, tmp_path / "pack", nullcontext(whole_picture), score_only=["val"], h264=0.5)
    rows = {row.path: row for row in read_index(tmp_path / "pack")[0]}
    compressed = [row for row in rows.values() if row.compressed]
    assert len(compressed) == 24 and all(row.use == "learn" for row in compressed)
    for row in compressed:
        plain = rows[row.path.removesuffix(".h264")]
        assert (row.label, row.source, row.group, row.original) == (
            plain.label,
            plain.source,
            plain.group,
            plain.original,
        )
    assert all(row.use == "score" and not row.compressed for row in rows.values() if row.split == "val")


def test_pictures_without_a_face_are_left_out_and_counted(manifest, tmp_path, whole_picture):
    answers = iter([number % 4 for number in range(48)])
    said = pack(manifest, tmp_path / "pack", nullcontext(lambda image: whole_picture(image) if next(answers) else None))
    assert len(read_index(tmp_path / "pack")[0]) == 36
    assert "36 pictures to learn from" in said and "12 left out" in said
    assert sum(json.loads((tmp_path / "pack" / "pack.json").read_text())["without_face"].values()) == 12


def test_a_part_is_never_larger_than_asked_and_all_are_listed(manifest, tmp_path, whole_picture):
    pack(manifest, tmp_path / "pack", nullcontext(whole_picture), part_bytes=100_000)
    files = sorted((tmp_path / "pack").glob("*.zip"))
    assert len(files) > 3
    assert all(60_000 < file.stat().st_size <= 100_000 for file in files[:-1])
    rows, parts = read_index(tmp_path / "pack")
    assert [part.file for part in parts] == [file.name for file in files]
    assert {row.part for row in rows} == {file.name for file in files}


def test_a_part_is_as_large_as_it_was_reckoned(tmp_path):
    parts = Parts(tmp_path, 1000)
    sizes = np.random.default_rng(0).integers(50, 300, 30)
    for size in sizes:
        parts.add(bytes(int(size)), ".jpg", "x")
    parts.close()
    assert all(path.stat().st_size <= 1000 for path in parts.paths)
    with pytest.raises(UsageError, match="--part-mb"):
        parts.add(bytes(1000), ".jpg", "x")


def test_the_same_pictures_give_the_same_bytes(manifest, tmp_path, whole_picture):
    for name in ("one", "two"):
        pack(manifest, tmp_path / name, nullcontext(whole_picture), h264=0.5)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_a_long_table_is_compressed(manifest, tmp_path, whole_picture, monkeypatch):
    monkeypatch.setattr("deepfake_training.pack_index.LARGEST_TABLE", 100)
    pack(manifest, tmp_path / "pack", nullcontext(whole_picture))
    assert (tmp_path / "pack" / "rows.csv.gz").exists()
    assert len(read_index(tmp_path / "pack")[0]) == 48


def test_a_folder_with_something_in_it_is_refused_and_stays_as_it_is(manifest, tmp_path, whole_picture):
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="not an empty folder"):
        pack(manifest, tmp_path / "pack", nullcontext(whole_picture))
    assert (tmp_path / "pack" / "mine.txt").read_text() == "mine"


def test_an_empty_folder_is_filled(manifest, tmp_path, whole_picture):
    (tmp_path / "pack").mkdir()
    pack(manifest, tmp_path / "pack", nullcontext(whole_picture))
    assert (tmp_path / "pack" / "pack.json").exists()


def test_a_run_that_is_stopped_leaves_nothing(manifest, tmp_path, whole_picture):
    faces = iter([whole_picture] * 5)

    def stopped(image: np.ndarray) -> Face:
        find = next(faces, None)
        if find is None:
            raise KeyboardInterrupt
        return find(image)

    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt):
        pack(manifest, tmp_path / "pack", nullcontext(stopped))
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("column", "value", "said"), [("path", "real0.png", "more than once"), ("path", "gone.png", "not there")]
)
def test_a_manifest_that_does_not_fit_is_refused_before_anything_is_written(
    manifest, tmp_path, whole_picture, column, value, said
):
    with manifest.open() as file:
        rows = list(csv.DictReader(file))
    rows[5][column] = value
    with manifest.open("w") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    with pytest.raises(UsageError, match=said):
        pack(manifest, tmp_path / "pack", nullcontext(whole_picture))
    assert not (tmp_path / "pack").exists()


def test_rows_to_learn_from_can_not_be_scored_only(manifest, tmp_path, whole_picture):
    with pytest.raises(UsageError, match="learnt from"):
        pack(manifest, tmp_path / "pack", nullcontext(whole_picture), score_only=["train"])


def test_a_share_above_one_is_refused(manifest, tmp_path):
    with pytest.raises(UsageError, match="--h264"):
        main([str(manifest), "--output", str(tmp_path / "pack"), "--h264", "10"])


def test_networks_to_start_from_lie_beside_the_pictures(manifest, tmp_path, whole_picture):
    import torch
    from deepfake_networks.network import HybridNetwork
    from deepfake_training.network_files import load_network_files
    from deepfake_training.pretrained import starting_spec

    network = HybridNetwork(starting_spec("tf_efficientnet_lite0", "tf_efficientnet_lite0"))
    pack(manifest, tmp_path / "pack", nullcontext(whole_picture), starts={"tf_efficientnet_lite0": network})
    packed = load_network_files(tmp_path / "pack" / "tf_efficientnet_lite0.json")
    for given, kept in zip(network.state_dict().values(), packed.state_dict().values(), strict=True):
        assert torch.allclose(given.float(), kept.float(), atol=1e-3)
