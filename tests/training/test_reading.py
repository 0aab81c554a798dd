"""Labelled files, as training and evaluation read them."""

from pathlib import Path

import pytest
from deepfake_contract.errors import UsageError
from deepfake_training.data import read_labelled, read_training


def write(path: Path, *lines: str) -> Path:
    """A manifest, and the empty files that it names."""
    for line in lines[1:]:
        (path.parent / line.split(",")[0]).touch()
    path.write_text("\n".join(lines) + "\n")
    return path


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_only_the_asked_split_is_read(tmp_path):
    path = write(tmp_path / "m.csv", "path,label,split", "a.png,real,train", "b.png,fake,val", "c.png,real,val")
    assert [sample.name for sample in read_labelled(path, "val")] == ["b.png", "c.png"]


def test_a_manifest_without_splits_is_read_whole_each_file_a_group(tmp_path):
    path = write(tmp_path / "m.csv", "path,label,note", "a.mp4,real,x", "b.mp4,fake,y")
    samples = read_labelled(path, "val")
    assert [(sample.fake, sample.group, sample.source) for sample in samples] == [
        (False, "a.mp4", tmp_path.name),
        (True, "b.mp4", tmp_path.name),
    ]


def test_a_sub_folder_is_one_group_for_training_and_evaluation_alike(tmp_path):
    touch(tmp_path, "real/ann/1.jpg", "real/ann/2.PNG", "real/3.jpg", "fake/ann/1.jpg", "fake/bob/x/4.jpg")
    learnt, judged = read_training(tmp_path), read_labelled(tmp_path, "val")
    assert learnt == judged
    assert [(sample.name, sample.fake, sample.source, sample.group) for sample in learnt] == [
        ("real/3.jpg", False, tmp_path.name, "3.jpg"),
        ("real/ann/1.jpg", False, tmp_path.name, "ann"),
        ("real/ann/2.PNG", False, tmp_path.name, "ann"),
        ("fake/ann/1.jpg", True, tmp_path.name, "ann"),
        ("fake/bob/x/4.jpg", True, tmp_path.name, "bob"),
    ]


def test_the_manifest_says_otherwise(tmp_path):
    """Its columns source and group, whatever the folders are called."""
    touch(tmp_path, "real/ann/1.jpg", "fake/ann/1.jpg")
    lines = ("path,label,source,group,split", "real/ann/1.jpg,real,s,g,train", "fake/ann/1.jpg,fake,s,h,train")
    path = write(tmp_path / "m.csv", *lines)
    learnt = read_training(path)
    assert learnt == read_labelled(path, "train")
    assert [(sample.source, sample.group) for sample in learnt] == [("s", "g"), ("s", "h")]


def test_clips_and_odd_files_are_evaluated_on_and_not_learnt_from(tmp_path, caplog):
    touch(tmp_path, "real/1.jpg", "real/2.mp4", "fake/3.jpg", "fake/notes.txt", "fake/.hidden")
    assert [sample.name for sample in read_training(tmp_path)] == ["real/1.jpg", "fake/3.jpg"]
    assert "1 files in real/ are left out: training reads .avif .bmp .jpeg .jpg" in caplog.text
    assert len(read_labelled(tmp_path, "val")) == 4


@pytest.mark.parametrize("missing", ["real", "fake"])
def test_learning_needs_both_labels_and_judging_one(tmp_path, missing):
    touch(tmp_path, *(f"{label}/1.jpg" for label in ("real", "fake") if label != missing))
    with pytest.raises(UsageError, match=f"no files in {missing}/"):
        read_training(tmp_path)
    assert [sample.fake for sample in read_labelled(tmp_path, "val")] == [missing == "real"]


def test_a_folder_with_neither_label_is_refused(tmp_path):
    (tmp_path / "real").mkdir()
    with pytest.raises(UsageError, match="no files in fake/"):
        read_labelled(tmp_path, "val")


def test_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match="absent"):
        read_training(tmp_path / "absent.csv")


def test_training_needs_to_know_what_belongs_together(tmp_path):
    path = write(tmp_path / "m.csv", "path,label,source,split", "a.png,real,here,train")
    assert len(read_labelled(path, "train")) == 1
    with pytest.raises(UsageError, match=r"lacks the columns group; it has path, label"):
        read_training(path)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("path,group", "a.png,1"), "lacks the columns label; it has path, group"),
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
    with pytest.raises(UsageError, match=r"1 files that are not there; the first is .*b\.png"):
        read_labelled(path, "val")
