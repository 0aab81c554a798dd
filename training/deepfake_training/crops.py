"""The crop of each picture, cut as serving cuts it, kept as one array on disk."""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from deepfake_client.faces.crop import CROP_SIDE, cut, face_region
from deepfake_client.results import Box
from deepfake_contract.errors import DamagedMediaError
from deepfake_contract.policy import Policy
from PIL import Image, ImageOps
from rich.progress import track

from deepfake_training.data import Sample

if TYPE_CHECKING:  # the module needs gRPC, which is not everywhere where crops are learnt from
    from deepfake_client.faces.detect import Face

FindFace = Callable[[np.ndarray], "Face | None"]  # RGB uint8 [H, W, 3] to the main face, in its pixels


@dataclass(frozen=True)
class Crops:
    """`pictures` uint8 [N, 224, 224, 3] and `landmarks` float32 [N, 5, 2] (eyes, nose, corners of the mouth; x and y in
    the crop's pixels, NaN where no face was looked for) of `samples`."""

    samples: list[Sample]
    pictures: "np.ndarray | Picked"
    landmarks: np.ndarray

    def of(self, some: list[Sample]) -> "Crops":
        """Those of some of the samples; the pictures stay where they are."""
        place = {sample.path: index for index, sample in enumerate(self.samples)}
        indices = np.array([place[sample.path] for sample in some], int)
        return Crops(some, Picked(self.pictures, indices), self.landmarks[indices])


class Picked:
    """Rows of an array, read when they are asked for: several runs share one array on disk, and none copies it."""

    def __init__(self, array: "np.ndarray | Picked", rows: np.ndarray):
        self._array, self._rows = array, rows
        self.shape: tuple[int, ...] = (len(rows), *array.shape[1:])

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, key: Any) -> np.ndarray:
        first, *others = key if isinstance(key, tuple) else (key,)
        return self._array[(self._rows[first], *others)]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype)


def cut_crops(samples: list[Sample], faces: AbstractContextManager[FindFace], policy: Policy, cache: Path) -> Crops:
    """The crops of the samples that have one.

    A policy that looks at faces leaves pictures without one out; one that looks at whole frames enters no `faces`.
    They are written to the folder `cache` once for the same pictures and policy, and mapped from there.
    """
    kind = [policy.crop, *([str(policy.face_margin)] if policy.crop == "face" else [])]
    files = [(str(sample.path), (facts := sample.path.stat()).st_size, facts.st_mtime_ns) for sample in samples]

    def fill(pictures: np.ndarray) -> tuple[list[int], np.ndarray]:
        shown: list[int] = []
        landmarks: list[np.ndarray] = []
        for index, crop in enumerate(_crops(samples, faces, policy)):
            if crop is not None:
                pictures[len(shown)] = crop[0]
                landmarks.append(crop[1])
                shown.append(index)
        return shown, np.array(landmarks, np.float32)

    return kept_crops(samples, cache, repr((kind, files)), fill)


def kept_crops(
    samples: list[Sample], cache: Path, key: str, fill: Callable[[np.memmap], tuple[list[int], np.ndarray]]
) -> Crops:
    """The crops that lie in the folder `cache` under a digest of `key`, made by `fill` where they don't yet.

    `fill` writes them one after the other into an array for all samples, and gives the indices of the samples that have
    one and their landmarks. Another process that wants them too waits.
    """
    cache.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(key.encode()).hexdigest()[:16]
    pictures_file, facts_file = cache / f"{name}.npy", cache / f"{name}-facts.npz"
    with _locked(cache):
        if not facts_file.exists():  # written last: without it the pictures are not whole
            partial = cache / f"{name}-{os.getpid()}.partial"
            shape = (len(samples), CROP_SIDE, CROP_SIDE, 3)
            try:
                pictures = np.lib.format.open_memmap(partial, mode="w+", dtype=np.uint8, shape=shape)
                shown, landmarks = fill(pictures)
                pictures.flush()
                partial.replace(pictures_file)
                with partial.open("wb") as file:
                    np.savez(file, shown=np.array(shown, np.int64), landmarks=landmarks)
                partial.replace(facts_file)
            finally:
                partial.unlink(missing_ok=True)
    facts = np.load(facts_file)
    shown_samples = [samples[index] for index in facts["shown"]]
    return Crops(shown_samples, np.load(pictures_file, mmap_mode="r")[: len(shown_samples)], facts["landmarks"])


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _crops(
    samples: list[Sample], faces: AbstractContextManager[FindFace], policy: Policy
) -> Iterator[tuple[np.ndarray, np.ndarray] | None]:
    """Each sample's crop and its landmarks."""
    progress = track(samples, description="cutting crops", transient=True)
    if policy.crop == "frame":
        for sample in progress:
            image = read_picture(sample.path)
            yield cut(image, (0, 0, image.shape[1], image.shape[0])), np.full((5, 2), np.nan)
        return
    with faces as find_face:
        for sample in progress:
            image = read_picture(sample.path)
            face = find_face(image)
            yield None if face is None else face_crop(image, face.box, face.landmarks, policy.face_margin)


def face_crop(image: np.ndarray, box: Box, landmarks: np.ndarray, margin: float) -> tuple[np.ndarray, np.ndarray]:
    """The crop uint8 [224, 224, 3] of a face in an RGB uint8 picture, and its landmarks [5, 2] in the crop's pixels."""
    x, y, side, _ = region = face_region(box, margin, image.shape[1], image.shape[0])
    return cut(image, region), (landmarks - (x, y)) * (CROP_SIDE / side)


def read_picture(path: Path | BinaryIO) -> np.ndarray:
    """The picture as RGB uint8 [H, W, 3], upright by its EXIF tag; DamagedMediaError names the file."""
    try:
        with Image.open(path) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except (OSError, Image.DecompressionBombError) as cause:
        raise DamagedMediaError(f"{path} can't be read as a picture ({cause}): mend it or leave it out.") from cause
