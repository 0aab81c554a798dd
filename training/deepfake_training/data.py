"""Labelled pictures and clips: a table of them, or a folder."""

import csv
import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from deepfake_contract.errors import UsageError

LABELS = {"real": False, "fake": True}
TRAIN = "train"  # the split that is learnt from
NEEDED = ("path", "label")
NEEDED_TO_LEARN = (*NEEDED, "source", "group", "split")
PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".avif"}
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sample:
    """One picture or clip. Those that share a person or a scene share a `group`: they are not independent, so they are
    never on both sides of a split (nor are groups of the same name in other sources), and intervals are drawn by group.
    `original` names the recording that a picture comes from, the same for a real and for the fakes made of it; `method`
    is how a fake was made, `kind` what was done to the face; all are empty where unknown. `compressed`: sent through a
    video's compression, and to be compared with such as were too. `name`: the path as the table or the folder gives
    it."""

    path: Path
    fake: bool
    source: str
    group: str
    original: str = ""
    method: str = ""
    compressed: bool = False
    name: str = ""
    kind: str = ""


def read_training(data: Path) -> list[Sample]:
    """What may be learnt from: the rows of a manifest's split "train", or all pictures of a folder."""
    return _read_folder(data, PICTURES) if data.is_dir() else read_manifest(data, TRAIN, NEEDED_TO_LEARN)


def read_labelled(data: Path, split: str) -> list[Sample]:
    """What a detector is evaluated on: the rows of a manifest's split, or of a whole manifest that has no splits; or
    all files of a folder."""
    return _read_folder(data, None) if data.is_dir() else read_manifest(data, split)


def read_manifest(path: Path, split: str, needed: Collection[str] = NEEDED) -> list[Sample]:
    """The rows of one split in the file's order; UsageError names the first file that is not there.

    Paths are relative to the manifest's folder, which is the source of rows that name none. A row without a group is a
    group of its own.
    """
    rows = manifest_rows(path, [split], needed)
    check_files(path, rows)
    return [_sample(path.parent, row) for row in rows]


def check_files(manifest: Path, rows: Iterable[dict[str, str]]) -> None:
    """UsageError names the first of the rows' files that is not there."""
    paths = [manifest.parent / row["path"] for row in rows]
    if absent := [path for path in paths if not path.is_file()]:
        raise UsageError(f"{manifest.name} names {len(absent)} files that are not there; the first is {absent[0]}.")


def manifest_rows(path: Path, splits: Iterable[str], needed: Collection[str]) -> list[dict[str, str]]:
    """The rows of some splits as the file has them, split after split, their labels checked; UsageError says what the
    manifest lacks. A file without the column split has one split, whichever is asked for."""
    if not path.is_file():
        raise UsageError(f"There is no {path}: give a manifest (CSV), or a folder with real/ and fake/.")
    with path.open(newline="", encoding="utf-8-sig") as lines:
        reader = csv.DictReader(lines)
        columns = reader.fieldnames or ()
        missing = [column for column in needed if column not in columns]
        if missing:
            raise UsageError(f"{path.name} lacks the columns {', '.join(missing)}; it has {', '.join(columns)}.")
        rows = list(reader)
    chosen = []
    for split in splits:
        of_split = [row for row in rows if row.get("split", split) == split]
        if not of_split:
            raise UsageError(f"{path.name} has no rows of the split {split!r}.")
        chosen += of_split
    for row in chosen:
        if row["label"] not in LABELS:
            raise UsageError(f"{path.name}: {row['path']} has the label {row['label']!r}; it must be real or fake.")
    return chosen


def _read_folder(folder: Path, suffixes: Collection[str] | None) -> list[Sample]:
    """The files, of these suffixes or all, in the folder's `real/` and `fake/`; the folder's name is their source.

    A sub-folder of those two is one group (a person, a scene); a file in no sub-folder is a group of its own. What is
    learnt from needs files in both; what is judged, in one of them.
    """
    samples: list[Sample] = []
    for label, fake in LABELS.items():
        there = [file for file in (folder / label).rglob("*") if file.is_file() and not file.name.startswith(".")]
        files = sorted(file for file in there if suffixes is None or file.suffix.lower() in suffixes)
        if suffixes and len(files) < len(there):
            left_out, read = len(there) - len(files), " ".join(sorted(suffixes))
            log.warning("%d files in %s/ are left out: training reads %s", left_out, label, read)
        if not files and (suffixes or (fake and not samples)):
            raise UsageError(f"{folder.name} has no files in {label}/: put reals into real/ and fakes into fake/.")
        for file in files:
            group = file.relative_to(folder / label).parts[0]
            name = str(file.relative_to(folder))
            samples.append(Sample(file, fake, folder.resolve().name, group, name=name))
    return samples


def _sample(folder: Path, row: dict[str, str]) -> Sample:
    return Sample(
        folder / row["path"],
        LABELS[row["label"]],
        row.get("source") or folder.resolve().name,
        row.get("group") or row["path"],
        row.get("original") or "",
        row.get("method") or "",
        name=row["path"],
        kind=row.get("kind") or "",
    )
