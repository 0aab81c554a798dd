"""Degraded files."""

from pathlib import Path

import av
import numpy as np
import pytest
from conftest import write_clip
from deepfake_contract.errors import DamagedMediaError
from deepfake_training.data import Sample
from deepfake_training.degrade import DEGRADATIONS, degraded
from PIL import Image


@pytest.fixture
def picture(astronaut, tmp_path) -> Path:
    path = tmp_path / "face.png"
    Image.fromarray(astronaut[:200, 100:300]).save(path)
    return path


@pytest.mark.parametrize("degradation", [each for each in DEGRADATIONS if not each.clips], ids=lambda each: each.name)
def test_a_picture_gets_worse_and_smaller_only_by_scaling(degradation, picture, tmp_path):
    before = np.asarray(Image.open(picture)).astype(float)
    made = degradation.apply(picture, tmp_path / "worse")
    assert made.stem == "worse"
    image = Image.open(made)
    factor = float(degradation.name.split()[1]) if degradation.name.startswith("scale") else 1
    assert image.size == (round(200 * factor), round(200 * factor))
    back = np.asarray(image.convert("RGB").resize((200, 200))).astype(float)
    assert 0.3 < np.abs(back - before).mean() < 15
    assert image.format == ("JPEG" if degradation.name.startswith("JPEG") else "PNG")


def test_a_lower_quality_loses_more(picture, tmp_path):
    before = np.asarray(Image.open(picture)).astype(float)
    losses = []
    for degradation in DEGRADATIONS[:4]:
        made = degradation.apply(picture, tmp_path / degradation.name)
        losses.append(np.abs(np.asarray(Image.open(made)).astype(float) - before).mean())
    assert losses == sorted(losses) and losses[-1] > 1.5 * losses[0]


def test_clips_keep_frames_size_and_times_and_get_smaller(astronaut, tmp_path):
    clip = tmp_path / "clip.mp4"
    frames = [np.ascontiguousarray(np.roll(astronaut[:160, 100:340], shift, axis=1)) for shift in range(12)]
    write_clip(clip, frames, rate=25)
    sizes = []
    for degradation in (each for each in DEGRADATIONS if each.clips):
        made = degradation.apply(clip, tmp_path / degradation.name.replace(" ", ""))
        sizes.append(made.stat().st_size)
        assert times(made) == pytest.approx(times(clip), abs=1e-3)
        with av.open(str(made)) as reader:
            assert (reader.streams.video[0].width, reader.streams.video[0].height) == (240, 160)
    assert sizes[0] > 1.5 * sizes[1] > 2 * sizes[2]


def test_a_turned_clip_stays_turned(astronaut, tmp_path):
    clip = tmp_path / "clip.mp4"
    with av.open(str(clip), "w") as writer:
        stream = writer.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 240, 160, "yuv420p"
        stream.set_display_rotation(90)
        for _ in range(3):
            writer.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(astronaut[:160, :240]), "rgb24")))
        writer.mux(stream.encode(None))
    made = next(each for each in DEGRADATIONS if each.clips).apply(clip, tmp_path / "worse")
    assert rotation(made) == rotation(clip) != 0


def test_a_file_that_can_not_be_degraded_is_told(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"nothing")
    sample = Sample(tmp_path / "broken.png", False, "s", "g", name="broken.png")
    with pytest.raises(DamagedMediaError, match=r"broken\.png c"):
        degraded(sample, tmp_path / "worse", DEGRADATIONS[0])


def rotation(clip: Path) -> int:
    with av.open(str(clip)) as reader:
        return next(reader.decode(video=0)).rotation


def times(clip: Path) -> list[float]:
    with av.open(str(clip)) as reader:
        return [frame.time for frame in reader.decode(video=0)]
