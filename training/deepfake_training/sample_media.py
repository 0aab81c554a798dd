"""python -m deepfake_training.sample_media FOLDER: the picture and the clip that the upload page lets people try.

The picture is `astronaut` (NASA, public domain), as it is. In the clip her face is put onto `grace_hopper`'s (United
States Navy, public domain).
"""

import argparse
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import skimage.data
from matplotlib.cbook import get_sample_data
from PIL import Image

from deepfake_training.blending import swapped
from deepfake_training.crops import FindFace
from deepfake_training.face_search import served_faces

SIDE = 480  # pixels of a frame
AROUND = {"astronaut": 112, "admiral": 170}  # pixels of the picture from between the eyes to the frame's edge
DRAWN = 3  # the generator's seed: one of sixteen that were looked at, with a visible join and a verdict of FAKE
FRAMES, RATE = 72, 24


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m deepfake_training.sample_media", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(arguments).folder
    astronaut = skimage.data.astronaut()
    with Image.open(str(get_sample_data("grace_hopper.jpg", asfileobj=False))) as image:
        admiral = np.asarray(image.convert("RGB"))
    with served_faces(None) as find_face:
        portrait = _portrait(admiral, find_face, AROUND["admiral"])
        other = _portrait(astronaut, find_face, AROUND["astronaut"])
    _, fake = swapped(*portrait, *other, np.random.default_rng(DRAWN))
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(astronaut).save(folder / "picture.jpg", quality=88)
    _write_clip(folder / "clip.mp4", fake)
    return 0


def _portrait(picture: np.ndarray, find_face: FindFace, around: int) -> tuple[np.ndarray, np.ndarray]:
    """The face and what is around it, RGB uint8 [SIDE, SIDE, 3], and its landmarks [5, 2]."""
    face = find_face(picture)
    assert face is not None
    centre = face.landmarks[:2].mean(axis=0)
    matrix = np.array([[1.0, 0, around - centre[0]], [0, 1.0, around - centre[1]]]) * (SIDE / (2 * around))
    portrait = cv2.warpAffine(picture, matrix, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return portrait, (face.landmarks @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)


def _write_clip(path: Path, picture: np.ndarray) -> None:
    """The picture, its view swaying a little, as H.264."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "20"})
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        for at in range(FRAMES):
            turn = 2 * np.pi * at / FRAMES
            matrix = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), 3 * np.sin(turn), 1.08)
            matrix[:, 2] += 12 * np.cos(turn), 6 * np.sin(2 * turn)
            view = cv2.warpAffine(picture, matrix, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(view.astype(np.uint8), "rgb24")))
        container.mux(stream.encode())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
