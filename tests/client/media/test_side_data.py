"""What a frame carries beside its pixels never keeps it from being seen."""

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

FILES = Path(__file__).with_name("files")
ORIENTATION = 0x0112


def mjpeg_with_exif(path: Path, pictures: list[np.ndarray], orientation: int) -> Path:
    """A clip of JPEGs as a camera writes them, each with its own EXIF."""
    tags = Image.Exif()
    tags[ORIENTATION] = orientation
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuvj420p"
        container.start_encoding()
        for number, picture in enumerate(pictures):
            jpeg = io.BytesIO()
            Image.fromarray(np.ascontiguousarray(picture)).save(jpeg, "JPEG", exif=tags, quality=95)
            packet = av.Packet(jpeg.getvalue())
            packet.stream, packet.time_base = stream, Fraction(1, 10)
            packet.pts = packet.dts = number
            packet.is_keyframe = True
            container.mux(packet)
    return path


@pytest.mark.parametrize(
    ("orientation", "stored"),
    [(1, lambda shown: shown), (2, lambda shown: shown[:, ::-1]), (6, lambda shown: np.rot90(shown, 1))],
)
def test_clip_of_jpegs_with_exif_is_seen_and_upright(orientation, stored, tmp_path, numbered, load):
    pictures = [stored(numbered(each)) for each in range(5)]
    loaded = load(mjpeg_with_exif(tmp_path / "clip.avi", pictures, orientation))
    assert loaded.numbers == list(range(5))
    assert (loaded.info.width, loaded.info.height) == (160, 96)
    assert loaded.warnings == []


def test_spatial_video_gives_its_frames(load):
    loaded = load(FILES / "mv_hevc.mp4", frames=32)
    assert loaded.indices == list(range(10))
    assert (loaded.info.codec, loaded.info.width, loaded.info.height) == ("hevc", 160, 120)
    assert len({frame.image.tobytes() for frame in loaded.frames}) == 10
    assert loaded.warnings == []


def test_rotation_that_can_not_be_read_is_no_rotation():
    from deepfake_client.media.orientation import AS_STORED, display_matrix

    class Frame:
        def __init__(self, matrix: bytes):
            self.side_data = {"DISPLAYMATRIX": matrix}

    assert display_matrix(Frame(b"\x01" * 8)) == AS_STORED
    assert display_matrix(Frame(bytes(36))) == AS_STORED
