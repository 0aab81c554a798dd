"""The crop of each picture's main face, cut as serving cuts it, kept as one array on disk."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from deepfake_client.crops import CROP_SIDE, cut, face_region
from deepfake_client.embedded import embedded_triton
from deepfake_client.faces import Face, find_faces
from deepfake_client.results import Box
from deepfake_client.settings import ClientSettings
from deepfake_client.triton import Triton
from PIL import Image, ImageOps
from rich.progress import track

from deepfake_training.data import Sample

FindFace = Callable[[np.ndarray], Box | None]  # RGB uint8 [H, W, 3] to the main face's box in pixels
NEIGHBOUR = 0.5  # a face with a side below this share of the largest one's is never the main one


def cut_faces(
    samples: list[Sample], find_face: FindFace, margin: float, cache: Path
) -> tuple[list[Sample], np.ndarray]:
    """Samples that show a face, and their crops uint8 [N, 224, 224, 3] in the same order.

    The array is written to the folder `cache` once for the same pictures and margin, and mapped from there.
    """
    cache.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256("\n".join([str(margin), *(str(sample.path) for sample in samples)]).encode()).hexdigest()[:16]
    crops_file, shown_file = cache / f"{name}.npy", cache / f"{name}-shown.npy"
    if not shown_file.exists():  # written last: without it the crops are not whole
        crops = np.lib.format.open_memmap(
            crops_file, mode="w+", dtype=np.uint8, shape=(len(samples), CROP_SIDE, CROP_SIDE, 3)
        )
        shown: list[int] = []
        for index, sample in enumerate(track(samples, description="cutting faces", transient=True)):
            image = read_picture(sample.path)
            box = find_face(image)
            if box is not None:
                height, width = image.shape[:2]
                crops[len(shown)] = cut(image, face_region(box, margin, width, height))
                shown.append(index)
        crops.flush()
        np.save(shown_file, np.array(shown, dtype=np.int64))
    indices = np.load(shown_file)
    return [samples[index] for index in indices], np.load(crops_file, mmap_mode="r")[: len(indices)]


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


def main_face(faces: list[Face], width: int, height: int) -> Box | None:
    """The box of the face a picture of width × height is about: of the large ones, the one nearest to its middle."""
    largest = max((face.side for face in faces), default=0.0)
    large = [face.box for face in faces if face.side >= NEIGHBOUR * largest]

    def from_middle(box: Box) -> float:
        return (box[0] + box[2] / 2 - width / 2) ** 2 + (box[1] + box[3] / 2 - height / 2) ** 2

    return min(large, key=from_middle, default=None)


def read_picture(path: Path) -> np.ndarray:
    """The picture as RGB uint8 [H, W, 3], upright by its EXIF tag."""
    with Image.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
