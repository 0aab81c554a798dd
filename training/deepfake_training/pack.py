"""deepfake pack MANIFEST --output FOLDER"""

import argparse
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from pathlib import Path

from deepfake_client.ahead import ahead
from deepfake_contract.errors import UsageError
from deepfake_networks.network import HybridNetwork
from rich.console import Console
from rich.progress import track

from deepfake_training.crops import FindFace, read_picture
from deepfake_training.data import NEEDED_TO_LEARN, TRAIN, check_files, manifest_rows
from deepfake_training.machine import cores
from deepfake_training.network_files import save_network_files
from deepfake_training.pack_index import LEARN, SCORE, Row, write_index
from deepfake_training.pack_parts import Parts
from deepfake_training.pack_pictures import Stored, as_video, stored_picture
from deepfake_training.pack_video import drawn_crfs
from deepfake_training.pretrained import pretrained_network, starting_spec

PART_MB = 20.0  # millions of bytes
DESCRIPTION = """Packs all that training needs into a few files that can be carried to another machine: pictures, labels
and where the faces lie. There `deepfake train --pack FOLDER` needs no face detector, no network and no manifest. Rows
of the split train are learnt from; pictures without a face are left out."""


def main(arguments: list[str]) -> int:
    # Triton and gRPC are needed where a pack is made, but not where one is read.
    from deepfake_training.face_search import served_faces

    parser = argparse.ArgumentParser(prog="deepfake pack", description=DESCRIPTION)
    parser.add_argument(
        "manifest",
        type=Path,
        metavar="MANIFEST",
        help="a CSV with the columns path, label (real or fake), source, group, split and maybe original, method",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="folder to write, new or empty")
    parser.add_argument(
        "--score-only",
        action="append",
        default=[],
        metavar="SPLIT",
        help="add this split's pictures, to be scored and never learnt from; may be given again",
    )
    parser.add_argument(
        "--h264",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="add this share (0 to 1) of the recordings to learn from a second time, compressed as video (%(default)s)",
    )
    parser.add_argument(
        "--start",
        action="append",
        default=[],
        metavar="NAME",
        help="add this network of timm, such as tf_efficientnet_lite0, to start from; may be given again",
    )
    parser.add_argument(
        "--part-mb", type=float, default=PART_MB, help="largest size of a file, in millions of bytes (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=7, help="decides what --h264 adds (%(default)s)")
    parser.add_argument(
        "--repository", type=Path, help="model repository with the face detector (default: the clone's)"
    )
    options = parser.parse_args(arguments)
    if not 0 <= options.h264 <= 1:
        raise UsageError(f"--h264 is a share from 0 to 1, but is {options.h264}.")
    starts = {name: pretrained_network(starting_spec(name, name)) for name in options.start}
    summary = pack(
        options.manifest.resolve(),
        options.output,
        served_faces(options.repository),
        options.score_only,
        options.h264,
        options.seed,
        starts,
        int(options.part_mb * 1e6),
    )
    Console().print(f"{summary} All of it: {options.output}")
    return 0


def pack(
    manifest: Path,
    output: Path,
    faces: AbstractContextManager[FindFace],
    score_only: Sequence[str] = (),
    h264: float = 0.0,
    seed: int = 7,
    starts: dict[str, HybridNetwork] | None = None,
    part_bytes: int = int(PART_MB * 1e6),
) -> str:
    """Writes the pack, whole or not at all; what it holds, as a sentence. UsageError where `output` has something in
    it, or the manifest does not fit."""
    if TRAIN in score_only:
        raise UsageError("Rows of the split train are learnt from: they can't be packed with --score-only too.")
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UsageError(f"{output} is there and not an empty folder: name a new one, or empty it.")
    rows = manifest_rows(manifest, [TRAIN, *dict.fromkeys(score_only)], NEEDED_TO_LEARN)
    _check_paths(manifest, rows)
    output.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{output.name}-", dir=output.parent))
    try:
        for name, network in (starts or {}).items():
            save_network_files(made, name, network, {"start": name})
        with closing(Parts(made, part_bytes)) as parts:
            packed, without = _packed_rows(manifest.parent, rows, faces, parts, h264, seed)
        if not any(row.use == LEARN for row in packed):
            raise UsageError(f"No face was found in any picture that {manifest.name} gives to learn from.")
        facts = {
            "manifest": manifest.name,
            "seed": seed,
            "h264": h264,
            "pictures": _counts((row.use, row.source, row.label, row.stored.split("-")[0]) for row in packed),
            "without_face": _counts((row["split"], row["source"], row["label"]) for row in without),
            "starts": list(starts or {}),
        }
        write_index(made, packed, parts.paths, facts)
        made.chmod(0o755)
        made.replace(output)  # an empty folder gives way
    finally:
        shutil.rmtree(made, ignore_errors=True)
    learnt = sum(row.use == LEARN for row in packed)
    return (
        f"{learnt} pictures to learn from, {len(packed) - learnt} to score, {len(without)} left out without a face; "
        f"{len(parts.paths)} parts."
    )


def _packed_rows(
    folder: Path,
    rows: list[dict[str, str]],
    faces: AbstractContextManager[FindFace],
    parts: Parts,
    h264: float,
    seed: int,
) -> tuple[list[Row], list[dict[str, str]]]:
    """The rows of what went into the parts, and those left out without a face. Pictures are read on all cores."""
    crfs = drawn_crfs((row for row in rows if row["split"] == TRAIN), h264, seed)
    packed: list[Row] = []
    without = []

    def stored(row: dict[str, str]) -> list[tuple[str, Stored]]:
        """The picture, and where drawn the same as video, each with its name; nothing without a face."""
        path = folder / row["path"]
        image = read_picture(path)
        face = find_face(image)
        if face is None:
            return []
        plain = stored_picture(path, image, face)
        crf = crfs.get(row["path"])
        return [(row["path"], plain), *([(f"{row['path']}.h264", as_video(plain, crf))] if crf else [])]

    with ThreadPoolExecutor(cores()) as pool, faces as find_face:
        made = ahead(pool, stored, rows, 2 * cores())
        for row, pictures in zip(track(rows, "packing", transient=True), made, strict=True):
            if not pictures:
                without.append(row)
            facts = {key: row.get(key) or "" for key in ("label", "source", "group", "original", "method", "split")}
            use = LEARN if row["split"] == TRAIN else SCORE
            for name, each in pictures:
                part, file = parts.add(each.data, each.suffix, name)
                place = {"use": use, "part": part, "file": file, "stored": each.how}
                packed.append(Row(name, **facts, **place, box=each.box, landmarks=each.landmarks))
    return packed, without


def _check_paths(manifest: Path, rows: list[dict[str, str]]) -> None:
    """Before minutes are spent."""
    paths = Counter(row["path"] for row in rows)
    twice = [path for path, count in paths.items() if count > 1 or f"{path}.h264" in paths]
    if twice:
        raise UsageError(f"{manifest.name} names {twice[0]} more than once: a picture has one row.")
    check_files(manifest, rows)


def _counts(keys: Iterable[tuple[str, ...]]) -> dict[str, int]:
    """How many there are of each, by its words."""
    return {" ".join(key): count for key, count in sorted(Counter(keys).items())}
