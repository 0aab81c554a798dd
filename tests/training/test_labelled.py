"""Labelled files to evaluate on."""

from pathlib import Path

import pytest
from deepfake_contract.errors import UsageError
from deepfake_training.labelled import read_labelled


def write(path: Path, *lines: str) -> Path:
    for line in lines[1:]:
        (path.parent / line.split(",")[0]).touch()
    path.write_text("\n".join(lines) + "\n")
    return path


def test_only_the_asked_split_is_read(tmp_path):
    path = write(tmp_path / "m.csv", "path,label,split", "a.png,real,train", "b.png,fake,val", "c.png,real,val")
    assert [file.name for file in read_labelled(path, "val")] == ["b.png", "c.png"]


def test_a_manifest_without_splits_is_read_whole(tmp_path):
    path = write(tmp_path / "m.csv", "path,label,note", "a.mp4,real,x", "b.mp4,fake,y")
    files = read_labelled(path, "val")
    assert [(file.fake, file.group, file.source) for file in files] == [
        (False, "a.mp4", tmp_path.name),
        (True, "b.mp4", tmp_path.name),
    ]


def test_a_folder_gives_its_sub_folders_as_sources(tmp_path):
    for name in ("real/phone/1.jpg", "real/2.jpg", "fake/phone/3.mp4", "fake/.hidden"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    files = read_labelled(tmp_path, "val")
    assert [(file.name, file.fake, file.source) for file in files] == [
        ("real/2.jpg", False, tmp_path.name),
        ("real/phone/1.jpg", False, "phone"),
        ("fake/phone/3.mp4", True, "phone"),
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("path,group", "a.png,1"), "needs the columns path and label"),
        (("path,label", "a.png,maybe"), "'maybe'; it must be real or fake"),
        (("path,label,split", "a.png,real,train"), "no rows of the split 'val'"),
    ],
)
def test_a_wrong_manifest_is_told(tmp_path, lines, message):
    with pytest.raises(UsageError, match=message):
        read_labelled(write(tmp_path / "m.csv", *lines), "val")


def test_missing_files_are_told_at_once(tmp_path):
    path = write(tmp_path / "m.csv", "path,label", "a.png,real", "b.png,fake")
    (tmp_path / "b.png").unlink()
    with pytest.raises(UsageError, match=r"1 files that are not there; the first is b\.png"):
        read_labelled(path, "val")


def test_a_folder_without_reals_is_told(tmp_path):
    (tmp_path / "fake").mkdir()
    with pytest.raises(UsageError, match="real/"):
        read_labelled(tmp_path, "val")
