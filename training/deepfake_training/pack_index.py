"""What a pack says about itself: pack.json, and a table with one row per picture.

pack.json                      the parts and the table with their digests, and what was left out
rows.csv or rows.csv.gz        what is known of each picture, and where its face lies
pictures-00.zip …              the pictures
NAME.json, NAME-1.safetensors  a network to start from
"""

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from deepfake_client.faces.box import Box
from deepfake_contract.errors import UsageError

INDEX = "pack.json"
FORMAT = 1
LEARN, SCORE = "learn", "score"
LARGEST_TABLE = 1_000_000  # bytes: a longer one is compressed
LANDMARKS = [f"{name}_{axis}" for name in ("eye1", "eye2", "nose", "mouth1", "mouth2") for axis in "xy"]
BOX = ["x", "y", "width", "height"]


@dataclass(frozen=True)
class Row:
    """One picture of a pack. `use` is learn or score (never learnt from); `file` in the zip file `part` holds it;
    `stored` says how: original (the bytes as they were), region (the face and what is around it, without loss) or
    h264-NN (a video's key frame at that CRF). `box` and `landmarks` [5, 2] in pixels of the stored picture, upright."""

    path: str
    label: str
    source: str
    group: str
    original: str
    method: str
    split: str
    use: str
    part: str
    file: str
    stored: str
    box: Box
    landmarks: np.ndarray

    @property
    def compressed(self) -> bool:
        return self.stored.startswith("h264")


TEXTS = [field.name for field in fields(Row)][:-2]


@dataclass(frozen=True)
class Listed:
    """A file of the pack."""

    file: str
    bytes: int
    sha256: str


def write_index(folder: Path, rows: Iterable[Row], parts: list[Path], facts: dict[str, Any]) -> None:
    """Writes the table, and last of all pack.json: without it nothing in the folder is taken for a pack."""
    table = _table(rows)
    name, data = "rows.csv", table
    if len(table) > LARGEST_TABLE:
        name, data = "rows.csv.gz", gzip.compress(table, mtime=0)
    (folder / name).write_bytes(data)
    listed = {"rows": asdict(_listed(folder / name)), "parts": [asdict(_listed(part)) for part in parts]}
    (folder / INDEX).write_text(json.dumps({"format": FORMAT, **listed, **facts}, indent=1) + "\n", encoding="utf-8")


def read_index(folder: Path) -> tuple[list[Row], list[Listed]]:
    """The rows and the parts, these not yet looked at; UsageError names what is missing or damaged."""
    try:
        content = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise UsageError(f"{folder / INDEX} has the format {content['format']}, not {FORMAT}: pack again.")
        table, parts = Listed(**content["rows"]), [Listed(**part) for part in content["parts"]]
    except FileNotFoundError as cause:
        raise UsageError(f"{folder} is no pack: it has no {INDEX}, which `deepfake pack` writes last.") from cause
    except (OSError, ValueError, KeyError, TypeError) as cause:
        raise UsageError(f"{folder / INDEX} can't be read ({cause!r}): copy it again, or pack again.") from cause
    for listed in (table, *parts):
        if Path(listed.file).name != listed.file:
            raise UsageError(f"{folder / INDEX} lists {listed.file!r}, which is not a file of its folder: pack again.")
    data = checked(folder, table)
    text = (gzip.decompress(data) if table.file.endswith(".gz") else data).decode()
    return [_row(line) for line in csv.DictReader(io.StringIO(text, newline=""))], parts


def checked(folder: Path, listed: Listed) -> bytes:
    """A file's bytes; UsageError names it if it is missing or not what was packed."""
    path = folder / listed.file
    again = "copy it again from where the pack was made"
    try:
        data = path.read_bytes()
    except OSError as cause:
        raise UsageError(f"{path} is missing or can't be read ({cause.strerror}): {again}.") from cause
    if hashlib.sha256(data).hexdigest() != listed.sha256:
        raise UsageError(
            f"{path} is damaged: it has {len(data)} bytes and not the SHA-256 that {INDEX} lists, with {listed.bytes} "
            f"bytes; {again}."
        )
    return data


def _table(rows: Iterable[Row]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*TEXTS, *BOX, *LANDMARKS])
    for row in rows:
        numbers = [f"{value:.3f}" for value in (*row.box, *row.landmarks.ravel())]
        writer.writerow([*(getattr(row, name) for name in TEXTS), *numbers])
    return text.getvalue().encode()


def _row(line: dict[str, str]) -> Row:
    x, y, width, height = (float(line[name]) for name in BOX)
    landmarks = np.array([float(line[name]) for name in LANDMARKS]).reshape(5, 2)
    return Row(**{name: line[name] for name in TEXTS}, box=(x, y, width, height), landmarks=landmarks)


def _listed(path: Path) -> Listed:
    data = path.read_bytes()
    return Listed(path.name, len(data), hashlib.sha256(data).hexdigest())
