"""The crop of each picture, cut as serving cuts it, kept as one array on disk."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from deepfake_client.crops import CROP_SIDE, cut, face_region
from deepfake_client.embedded import embedded_triton
from deepfake_client.errors import DamagedMediaError
from deepfake_client.faces import Face, find_faces
from deepfake_client.settings import ClientSettings
from deepfake_client.triton import Triton
from deepfake_detector.policy import Policy
from PIL import Image, ImageOps
from rich.progress import track

from deepfake_training.data import Sample

FindFace = Callable[[np.ndarray], Face | None]  # RGB uint8 [H, W, 3] to the main face, in its pixels
NEIGHBOUR = 0.5  # a face with a side below this share of the largest one's is never the main one


@dataclass(frozen=True)
class Crops:
    """`pictures` uint8 [N, 224, 224, 3] and `landmarks` float32 [N, 5, 2] (eyes, nose, corners of the mouth; x and y in
    the crop's pixels, NaN where no face was looked for) of `samples`."""

    samples: list[Sample]
    pictures: np.ndarray
    landmarks: np.ndarray

    def of(self, some: list[Sample]) -> "Crops":
        """Those of some of the samples, in memory."""
        place = {sample.path: index for index, sample in enumerate(self.samples)}
        indices = [place[sample.path] for sample in some]
        return Crops(some, self.pictures[indices], self.landmarks[indices])


def cut_crops(samples: list[Sample], faces: AbstractContextManager[FindFace], policy: Policy, cache: Path) -> Crops:
    """The crops of the samples that have one.

    A policy that looks at faces leaves pictures without one out; one that looks at whole frames enters no `faces`.
    They are written to the folder `cache` once for the same pictures and policy, and mapped from there. Several
    processes may do so at once.
    """
    cache.mkdir(parents=True, exist_ok=True)
    kind = [policy.crop, *([str(policy.face_margin)] if policy.crop == "face" else [])]
    files = [(str(sample.path), (facts := sample.path.stat()).st_size, facts.st_mtime_ns) for sample in samples]
    name = hashlib.sha256(repr((kind, files)).encode()).hexdigest()[:16]
    pictures_file, facts_file = cache / f"{name}.npy", cache / f"{name}-facts.npz"
    if not facts_file.exists():  # written last: without it the pictures are not whole
        shape = (len(samples), CROP_SIDE, CROP_SIDE, 3)
        partial = cache / f"{name}-{os.getpid()}.partial"
        pictures = np.lib.format.open_memmap(partial, mode="w+", dtype=np.uint8, shape=shape)
        shown: list[int] = []
        landmarks: list[np.ndarray] = []
        try:
            for index, crop in enumerate(_crops(samples, faces, policy)):
                if crop is not None:
                    pictures[len(shown)] = crop[0]
                    landmarks.append(crop[1])
                    shown.append(index)
            pictures.flush()
            partial.replace(pictures_file)
            with partial.open("wb") as file:
                np.savez(file, shown=np.array(shown, np.int64), landmarks=np.array(landmarks, np.float32))
            partial.replace(facts_file)
        finally:
            partial.unlink(missing_ok=True)
    facts = np.load(facts_file)
    shown_samples = [samples[index] for index in facts["shown"]]
    return Crops(shown_samples, np.load(pictures_file, mmap_mode="r")[: len(shown_samples)], facts["landmarks"])


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
            if face is None:
                yield None
                continue
            x, y, side, _ = region = face_region(face.box, policy.face_margin, image.shape[1], image.shape[0])
            yield cut(image, region), (face.landmarks - (x, y)) * (CROP_SIDE / side)


@contextmanager
def served_faces(repository: Path | None) -> Iterator[FindFace]:
    """The face detector of a model repository (None: the one in the clone), through a Triton of our own."""
    settings = ClientSettings.from_environment()
    with embedded_triton(repository) as address:
        triton = Triton(address, settings.request_deadline_s)
        try:
            yield lambda image: main_face(find_faces(image, triton.face_candidates), image.shape[1], image.shape[0])
        finally:
            triton.close()


def main_face(faces: list[Face], width: int, height: int) -> Face | None:
    """The face a picture of width × height is about: of the large ones, the one nearest to its middle."""
    largest = max((face.side for face in faces), default=0.0)
    large = [face for face in faces if face.side >= NEIGHBOUR * largest]

    def from_middle(face: Face) -> float:
        x, y, face_width, face_height = face.box
        return (x + face_width / 2 - width / 2) ** 2 + (y + face_height / 2 - height / 2) ** 2

    return min(large, key=from_middle, default=None)


def read_picture(path: Path) -> np.ndarray:
    """The picture as RGB uint8 [H, W, 3], upright by its EXIF tag; DamagedMediaError names the file."""
    try:
        with Image.open(path) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except (OSError, Image.DecompressionBombError) as cause:
        raise DamagedMediaError(f"{path} can't be read as a picture ({cause}): mend it or leave it out.") from cause
