"""The crop of each picture, cut as serving cuts it, kept as one array on disk."""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np
from deepfake_client.ahead import ahead
from deepfake_client.faces.box import Box
from deepfake_client.faces.crop import cut, face_region
from deepfake_contract.errors import DamagedMediaError
from deepfake_contract.policy import Policy
from PIL import Image, ImageOps
from rich.progress import track

from deepfake_training.data import Sample
from deepfake_training.machine import cores

if TYPE_CHECKING:  # the module needs gRPC, which is not everywhere where crops are learnt from
    from deepfake_client.faces.detect import Face

FindFace = Callable[[np.ndarray], "Face | None"]  # RGB uint8 [H, W, 3] to the main face, in its pixels


@dataclass(frozen=True)
class Crops:
    """The face crops of `samples`: `pictures` uint8 [N, S, S, 3]; `landmarks` float32 [N, 5, 2] (eyes, nose, corners of
    the mouth; x and y in the crop's pixels, NaN for whole frames); `face_sides` float32 [N], the faces' longer sides in
    pixels of the source (the frames' where whole frames are cut)."""

    samples: list[Sample]
    pictures: "np.ndarray | Picked"
    landmarks: np.ndarray
    face_sides: np.ndarray

    def of(self, some: list[Sample]) -> "Crops":
        """Those of some of the samples; the pictures stay where they are."""
        place = {sample.path: index for index, sample in enumerate(self.samples)}
        rows = np.array([place[sample.path] for sample in some], int)
        return Crops(some, Picked(self.pictures, rows), self.landmarks[rows], self.face_sides[rows])


class FaceCrop(NamedTuple):
    """One of them: uint8 [S, S, 3], its landmarks [5, 2], its face's longer side."""

    picture: np.ndarray
    landmarks: np.ndarray
    face_side: float


class Facts(NamedTuple):
    """Which samples have a crop, by index, and those crops' landmarks [N, 5, 2] and face sides [N]."""

    shown: Sequence[int]
    landmarks: np.ndarray
    face_sides: np.ndarray


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
    """The crops of the samples that have one, cut on all cores.

    A policy that looks at faces leaves pictures without one out; one that looks at whole frames enters no `faces`.
    They are written to the folder `cache` once for the same pictures and policy, and mapped from there.
    """
    kind = [policy.crop, policy.crop_side, *([policy.face_margin] if policy.crop == "face" else [])]
    files = [(str(sample.path), (facts := sample.path.stat()).st_size, facts.st_mtime_ns) for sample in samples]

    def fill(pictures: np.memmap) -> Facts:
        shown: list[int] = []
        landmarks: list[np.ndarray] = []
        face_sides: list[float] = []
        for index, crop in enumerate(_crops(samples, faces, policy)):
            if crop is not None:
                pictures[len(shown)] = crop.picture
                shown.append(index)
                landmarks.append(crop.landmarks)
                face_sides.append(crop.face_side)
        return Facts(shown, np.array(landmarks), np.array(face_sides))

    return kept_crops(samples, cache, repr((kind, files)), policy.crop_side, fill)


def kept_crops(samples: list[Sample], cache: Path, key: str, side: int, fill: Callable[[np.memmap], Facts]) -> Crops:
    """The crops, `side` pixels wide, that lie in the folder `cache` under a digest of `key`, made by `fill` where they
    don't yet.

    `fill` writes them one after the other into an array for all samples. Another process that wants them too waits.
    """
    cache.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(key.encode()).hexdigest()[:16]
    pictures_file, facts_file = cache / f"{name}.npy", cache / f"{name}-facts.npz"
    with _locked(cache):
        if not facts_file.exists():  # written last: without it the pictures are not whole
            partial = cache / f"{name}-{os.getpid()}.partial"
            try:
                shape = (len(samples), side, side, 3)
                pictures = np.lib.format.open_memmap(partial, mode="w+", dtype=np.uint8, shape=shape)
                made = fill(pictures)
                pictures.flush()
                partial.replace(pictures_file)
                with partial.open("wb") as file:
                    landmarks, sides = (np.asarray(each, np.float32) for each in made[1:])
                    np.savez(file, shown=np.array(made.shown, np.int64), landmarks=landmarks, face_sides=sides)
                partial.replace(facts_file)
            finally:
                partial.unlink(missing_ok=True)
    facts = np.load(facts_file)
    shown = [samples[index] for index in facts["shown"]]
    pictures = np.load(pictures_file, mmap_mode="r")[: len(shown)]
    return Crops(shown, pictures, facts["landmarks"], facts["face_sides"])


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _crops(samples: list[Sample], faces: AbstractContextManager[FindFace], policy: Policy) -> Iterator[FaceCrop | None]:
    """Each sample's, in order."""

    def whole_frame(sample: Sample) -> FaceCrop | None:
        image = read_picture(sample.path)
        region = (0, 0, image.shape[1], image.shape[0])
        return FaceCrop(cut(image, region, policy.crop_side), np.full((5, 2), np.nan), max(image.shape[:2]))

    def main_face(sample: Sample) -> FaceCrop | None:
        image = read_picture(sample.path)
        face = find_face(image)
        return None if face is None else face_crop(image, face.box, face.landmarks, policy)

    with ExitStack() as stack:
        # Threads: reading, resizing and waiting for the face detector all leave Python to the others.
        pool = stack.enter_context(ThreadPoolExecutor(cores()))
        if policy.crop == "face":
            find_face = stack.enter_context(faces)
        made = ahead(pool, main_face if policy.crop == "face" else whole_frame, samples, 2 * cores())
        yield from track(made, "cutting face crops", len(samples), transient=True)


def face_crop(image: np.ndarray, box: Box, landmarks: np.ndarray, policy: Policy) -> FaceCrop:
    """Of a face in an RGB uint8 picture, as the policy cuts it."""
    x, y, side, _ = region = face_region(box, policy.face_margin, image.shape[1], image.shape[0])
    scale = policy.crop_side / side
    return FaceCrop(cut(image, region, policy.crop_side), (landmarks - (x, y)) * scale, max(box[2:]))


def read_picture(path: Path | BinaryIO) -> np.ndarray:
    """The picture as RGB uint8 [H, W, 3], upright by its EXIF tag; DamagedMediaError names the file."""
    try:
        with Image.open(path) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except (OSError, Image.DecompressionBombError) as cause:
        raise DamagedMediaError(f"{path} can't be read as a picture ({cause}): mend it or leave it out.") from cause
