"""Labelled pictures, and the groups that decide which of them may be learnt from."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from deepfake_contract.errors import UsageError

COLUMNS = {"path", "label", "source", "group", "split"}
PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".avif"}


@dataclass(frozen=True)
class Sample:
    """One picture. Pictures that share person or scene share a `group`; `original` names the recording a picture comes
    from, the same for a real and for the fakes made of it, and is empty where none is known. `compressed`: the picture
    was sent through a video's compression, and is to be compared with such as were too."""

    path: Path
    fake: bool
    source: str
    group: str
    original: str
    compressed: bool = False


def read_samples(data: Path) -> list[Sample]:
    """What may be learnt from: the rows of a manifest's split "train", or all pictures of a folder."""
    return read_folder(data) if data.is_dir() else read_manifest(data, "train")


def read_folder(folder: Path) -> list[Sample]:
    """The pictures in the folder's `real/` and `fake/`. A sub-folder of those is one group (a person, a clip: what must
    not be learnt from and judged by at once); a picture in no sub-folder is a group of its own."""
    samples = []
    for label in ("real", "fake"):
        files = sorted(
            file
            for file in (folder / label).rglob("*")
            if file.suffix.lower() in PICTURES and not file.name.startswith(".")
        )
        if not files:
            raise UsageError(f"{folder.name} has no pictures in {label}/: put reals into real/ and fakes into fake/.")
        for file in files:
            group = file.relative_to(folder / label).parts[0]
            samples.append(Sample(file, label == "fake", folder.name, group, ""))
    return samples


def read_manifest(path: Path, split: str) -> list[Sample]:
    """The rows of one split ("train" or "val") in the file's order; paths are relative to the manifest's folder."""
    samples = [_sample(path.parent, row) for row in manifest_rows(path, [split])]
    absent = [sample.path for sample in samples if not sample.path.is_file()]
    if absent:
        raise UsageError(f"{path.name} names {len(absent)} pictures that are not there; the first is {absent[0]}.")
    return samples


def manifest_rows(path: Path, splits: Iterable[str]) -> list[dict[str, str]]:
    """The rows of some splits as the file has them, split after split, their labels checked; UsageError says what a
    manifest lacks."""
    if not path.is_file():
        raise UsageError(f"There is no {path}: give a manifest (CSV), or a folder with real/ and fake/.")
    with path.open(newline="", encoding="utf-8-sig") as lines:
        reader = csv.DictReader(lines)
        missing = COLUMNS - set(reader.fieldnames or ())
        if missing:
            raise UsageError(f"{path.name} lacks the columns {', '.join(sorted(missing))}.")
        rows = list(reader)
    chosen = []
    for split in splits:
        of_split = [row for row in rows if row["split"] == split]
        if not of_split:
            raise UsageError(f"{path.name} has no rows of the split {split!r}.")
        chosen += of_split
    for row in chosen:
        if row["label"] not in ("real", "fake"):
            raise UsageError(f"{row['path']} has the label {row['label']!r}; it must be real or fake.")
    return chosen


def hold_out(samples: list[Sample], share: float, seed: int) -> tuple[list[Sample], list[Sample]]:
    """Splits by group into (learn, held out), the second with about `share` of each source's pictures.

    A group that is larger than what is still wanted stays on the learning side, so one huge group can't empty it.
    """
    random = np.random.default_rng(seed)
    apart: set[str] = set()
    for source in sorted({sample.source for sample in samples}):
        sizes: dict[str, int] = {}
        for sample in samples:
            if sample.source == source:
                sizes[sample.group] = sizes.get(sample.group, 0) + 1
        wanted = share * sum(sizes.values())
        for group in random.permutation(sorted(sizes)):
            if sizes[group] <= wanted:
                apart.add(str(group))
                wanted -= sizes[group]
    learn = [sample for sample in samples if sample.group not in apart]
    held = [sample for sample in samples if sample.group in apart]
    return learn, held


def sources_with_both(samples: list[Sample]) -> list[str]:
    """The sources that have reals and fakes."""
    labels = {(sample.source, sample.fake) for sample in samples}
    return sorted(source for source, fake in labels if fake and (source, False) in labels)


def _sample(folder: Path, row: dict[str, str]) -> Sample:
    return Sample(folder / row["path"], row["label"] == "fake", row["source"], row["group"], row.get("original") or "")
