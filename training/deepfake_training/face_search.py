"""The face that a picture is about, found by the served face detector. Needs gRPC and Triton."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deepfake_client.analysis.triton import Triton
from deepfake_client.embedded import embedded_triton
from deepfake_client.faces.detect import Face, find_faces
from deepfake_client.settings import ClientSettings

from deepfake_training.crops import FindFace

NEIGHBOUR = 0.5  # a face with a side below this share of the largest one's is never the main one


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
