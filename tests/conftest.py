"""What tests of several components share: a real Triton on the shipped models, faces under free terms, odd media."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

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
def triton(repository: Path) -> Iterator[str]:
    """The gRPC address of a running Triton that serves `repository`."""
    from deepfake_client.embedded import embedded_triton

    with embedded_triton(repository) as address:
        yield address


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
