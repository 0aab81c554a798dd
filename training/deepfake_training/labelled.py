"""Labelled pictures and clips to evaluate a detector on."""

import csv
from dataclasses import dataclass
from pathlib import Path

from deepfake_contract.errors import UsageError

LABELS = {"real": False, "fake": True}


@dataclass(frozen=True)
class LabelledFile:
    """`name` is the path as the table gives it. Files of one `group` are not independent (a person, a scene); `method`
    is how a fake was made, as far as it is known."""

    path: Path
    name: str
    fake: bool
    source: str
    group: str
    method: str


def read_labelled(data: Path, split: str) -> list[LabelledFile]:
    """The rows of a manifest, or the files of a folder with real/ and fake/; UsageError names what is wrong.

    A manifest needs the columns path and label; of one with a column split only the rows of `split` are read. In a
    folder, a sub-folder of real/ or fake/ is a source.
    """
    files = _from_folder(data) if data.is_dir() else _from_manifest(data, split)
    missing = [file.name for file in files if not file.path.is_file()]
    if missing:
        raise UsageError(f"{data.name} names {len(missing)} files that are not there; the first is {missing[0]}.")
    return files


def _from_manifest(path: Path, split: str) -> list[LabelledFile]:
    if not path.is_file():
        raise UsageError(f"There is no {path}: give a manifest (CSV), or a folder with real/ and fake/.")
    with path.open(newline="", encoding="utf-8-sig") as lines:
        reader = csv.DictReader(lines)
        if not {"path", "label"} <= set(reader.fieldnames or ()):
            raise UsageError(
                f"{path.name} needs the columns path and label; it has {', '.join(reader.fieldnames or [])}."
            )
        rows = [row for row in reader if row.get("split", split) == split]
    if not rows:
        raise UsageError(f"{path.name} has no rows of the split {split!r}.")
    return [_from_row(path, row) for row in rows]


def _from_row(manifest: Path, row: dict[str, str]) -> LabelledFile:
    if row["label"] not in LABELS:
        raise UsageError(f"{manifest.name}: {row['path']} has the label {row['label']!r}; it must be real or fake.")
    return LabelledFile(
        path=manifest.parent / row["path"],
        name=row["path"],
        fake=LABELS[row["label"]],
        source=row.get("source") or manifest.parent.name,
        group=row.get("group") or row["path"],
        method=row.get("method") or "",
    )


def _from_folder(folder: Path) -> list[LabelledFile]:
    files = []
    for label, fake in LABELS.items():
        found = sorted(path for path in (folder / label).rglob("*") if path.is_file() and not path.name.startswith("."))
        if not found:
            raise UsageError(f"{folder.name} has no files in {label}/: put reals into real/ and fakes into fake/.")
        for path in found:
            parts = path.relative_to(folder / label).parts
            source = parts[0] if len(parts) > 1 else folder.resolve().name
            name = str(path.relative_to(folder))
            files.append(LabelledFile(path, name, fake, source, name, ""))
    return files
