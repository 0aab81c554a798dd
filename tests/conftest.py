"""What tests of several components share: a real Triton on the shipped models, faces under free terms, odd media."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    from deepfake_serving.server import TritonServer

CLONE = Path(__file__).parents[1]
REPOSITORY_VARIABLE = "DEEPFAKE_TEST_REPOSITORY"


@pytest.fixture(scope="session")
def repository() -> Path:
    """The shipped model repository, or another one that the variable names."""
    folder = Path(os.environ.get(REPOSITORY_VARIABLE) or CLONE / "model_repository")
    if not folder.is_dir():
        pytest.fail(f"no model repository at {folder}; export one, or name it in {REPOSITORY_VARIABLE}")
    return folder


@pytest.fixture(scope="session")
def triton_server(repository: Path) -> Iterator["TritonServer"]:
    """A running Triton that serves `repository`: its addresses are `grpc`, `http` and `metrics`."""
    from deepfake_serving.server import TritonServer

    with TritonServer(repository) as server:
        yield server


@pytest.fixture(scope="session")
def triton(triton_server: "TritonServer") -> str:
    """The gRPC address of that Triton."""
    return triton_server.grpc


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """A picture with one face, uint8 [512, 512, 3] RGB (NASA, public domain)."""
    import skimage.data

    return skimage.data.astronaut()


@pytest.fixture(scope="session")
def admiral() -> np.ndarray:
    """Another, uint8 [600, 512, 3] RGB (United States Navy, public domain)."""
    from matplotlib.cbook import get_sample_data

    with get_sample_data("grace_hopper.jpg") as file:
        return np.asarray(Image.open(file).convert("RGB"))


@pytest.fixture(scope="session")
def temple() -> np.ndarray:
    """A picture without a face, uint8 [427, 640, 3] RGB (scikit-learn's sample)."""
    from sklearn.datasets import load_sample_image

    return load_sample_image("china.jpg")


@pytest.fixture(scope="session")
def face_clip(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    """A clip of 40 frames, 4 seconds, 640×480: one face of about 100 px that moves from left to right."""
    path = tmp_path_factory.mktemp("clips") / "face.mp4"
    backdrop = np.full((480, 640, 3), (120, 130, 110), np.uint8)
    write_clip(path, (_pasted(backdrop, astronaut[40:240, 120:330], 10 + 10 * at, 100) for at in range(40)), rate=10)
    return path


def write_clip(path: Path, pictures: Iterable[np.ndarray], rate: int) -> None:
    """Pictures (uint8 [H, W, 3], even sides) as H.264."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "18"})
        stream.pix_fmt = "yuv420p"
        for at, picture in enumerate(pictures):
            if at == 0:
                stream.height, stream.width = picture.shape[:2]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def _pasted(backdrop: np.ndarray, part: np.ndarray, x: int, y: int) -> np.ndarray:
    picture = backdrop.copy()
    picture[y : y + part.shape[0], x : x + part.shape[1]] = part
    return picture
