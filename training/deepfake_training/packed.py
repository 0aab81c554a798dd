"""Crops out of a pack, on a machine that has nothing but the pack."""

import io
import multiprocessing
import signal
import zipfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from deepfake_contract.policy import Policy
from deepfake_networks.profiles import LITE_POLICY
from rich.progress import track

from deepfake_training.crops import Crops, Facts, face_crop, kept_crops, read_picture
from deepfake_training.data import LABELS, Sample
from deepfake_training.pack_index import INDEX, LEARN, SCORE, Listed, Row, checked, read_index

CHUNK = 64  # pictures that a process cuts at a time


@dataclass(frozen=True)
class Packed:
    """`learn`: what may be learnt from. `score`: what is only ever scored, with its rows in `score_rows`."""

    learn: Crops
    score: Crops
    score_rows: list[Row]


def read_pack(folder: Path, work: Path, workers: int, policy: Policy = LITE_POLICY) -> Packed:
    """The pack's face crops, as the policy cuts them.

    Cut by as many processes as `workers`, once, into the folder `work`, and mapped from there. UsageError names a part
    that is missing or damaged. A sample's path is its row's, and no file.
    """
    rows, parts = read_index(folder)
    rows = [row for use in (LEARN, SCORE) for row in rows if row.use == use]
    learnt = sum(row.use == LEARN for row in rows)
    samples = [
        Sample(
            Path(row.path), LABELS[row.label], row.source, row.group, row.original, row.method, row.compressed, row.path
        )
        for row in rows
    ]

    def fill(pictures: np.memmap) -> Facts:
        with ThreadPoolExecutor(workers) as threads:
            for _ in threads.map(partial(_check, folder), parts):
                pass
        landmarks = np.concatenate(list(_cut(folder, rows, pictures, workers, policy)))
        return Facts(range(len(rows)), landmarks, np.array([max(row.box[2:]) for row in rows]))

    key = f"{(folder / INDEX).read_text(encoding='utf-8')} {policy.crop_side} {policy.face_margin}"
    crops = kept_crops(samples, work, key, policy.crop_side, fill)
    learn, score = (
        Crops(samples[some], crops.pictures[some], crops.landmarks[some], crops.face_sides[some])
        for some in (slice(learnt), slice(learnt, None))
    )
    return Packed(learn, score, rows[learnt:])


def _check(folder: Path, part: Listed) -> None:
    checked(folder, part)


def _cut(folder: Path, rows: list[Row], pictures: np.memmap, workers: int, policy: Policy) -> Iterator[np.ndarray]:
    """Fills the pictures, chunk by chunk in the rows' order; the chunks' landmarks float32 [n, 5, 2]."""
    assert pictures.filename is not None
    chunks = [list(range(start, min(start + CHUNK, len(rows)))) for start in range(0, len(rows), CHUNK)]
    cut = partial(_cut_chunk, folder, Path(pictures.filename), policy)
    # Forked: a fresh interpreter would load torch first, and nothing here touches a GPU.
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(workers, fork, signal.signal, (signal.SIGINT, signal.SIG_IGN)) as processes:
        made = processes.map(cut, chunks, [[rows[at] for at in chunk] for chunk in chunks])
        yield from track(made, "cutting face crops", len(chunks), transient=True)


def _cut_chunk(folder: Path, pictures_file: Path, policy: Policy, places: list[int], rows: list[Row]) -> np.ndarray:
    pictures = np.lib.format.open_memmap(pictures_file, mode="r+")
    landmarks = np.empty((len(rows), 5, 2), np.float32)
    by_part: dict[str, list[int]] = {}
    for at, row in enumerate(rows):
        by_part.setdefault(row.part, []).append(at)
    for part, indices in by_part.items():
        with zipfile.ZipFile(folder / part) as archive:
            for at in indices:
                row = rows[at]
                image = read_picture(io.BytesIO(archive.read(row.file)))
                crop = face_crop(image, row.box, row.landmarks, policy)
                pictures[places[at]], landmarks[at] = crop.picture, crop.landmarks
    return landmarks
