"""Animated pictures are videos."""

import numpy as np
import pytest
from deepfake_contract.errors import TooLargeError
from PIL import Image


@pytest.fixture
def animate(tmp_path, numbered):
    def animate(name: str, count: int = 20, duration: int | list[int] = 100, **how):
        pictures = [Image.fromarray(numbered(each)) for each in range(count)]
        path = tmp_path / name
        pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=duration, loop=0, **how)
        return path

    return animate


@pytest.mark.parametrize("name", ["moving.gif", "moving.webp", "moving.png", "moving.avif"])
def test_animated_picture_is_a_video_sampled_evenly(name, animate, load):
    loaded = load(animate(name), frames=4)
    assert loaded.kind == "video"
    assert loaded.numbers == loaded.indices == [2, 7, 12, 17]
    assert [frame.time_s for frame in loaded.frames] == pytest.approx([0.2, 0.7, 1.2, 1.7])
    assert (loaded.info.duration_s, loaded.info.frame_rate) == (2.0, 10.0)
    assert loaded.warnings == []


def test_every_fifth_frame_of_an_animation(animate, load):
    assert load(animate("moving.gif"), "every_nth:5", 3).numbers == [0, 5, 10]


def test_frames_of_an_animation_last_as_long_as_they_say(animate, load):
    loaded = load(animate("moving.webp", count=4, duration=[1000, 100, 100, 800]), frames=4)
    assert [frame.time_s for frame in loaded.frames] == pytest.approx([0.0, 1.0, 1.1, 1.2])


def test_animation_that_names_no_time_runs_as_in_browsers(animate, load):
    assert load(animate("moving.gif", duration=0)).info.duration_s == pytest.approx(2.0)


def test_parts_that_a_gif_frame_leaves_out_are_filled_from_before(tmp_path, numbered, load):
    # What changes from frame to frame is a small box; a viewer sees it over all that came before.
    picture = numbered(5)
    frames = []
    for at in range(6):
        changed = picture.copy()
        changed[2:8, 4 * at : 4 * at + 4] = (0, 200, 0)
        frames.append(Image.fromarray(changed))
    frames[0].save(tmp_path / "box.gif", save_all=True, append_images=frames[1:], duration=100, optimize=True)
    loaded = load(tmp_path / "box.gif", frames=6)
    for shown, made in zip(loaded.frames, frames, strict=True):
        assert np.abs(shown.image.astype(int) - np.asarray(made)).mean() < 3


def test_still_gif_and_webp_are_pictures(tmp_path, numbered, load):
    for name in ("still.gif", "still.webp"):
        Image.fromarray(numbered(9)).save(tmp_path / name)
        loaded = load(tmp_path / name)
        assert (loaded.kind, loaded.numbers) == ("image", [9])


def test_animation_that_is_cut_off_shows_what_it_has_and_warns(tmp_path, animate, load):
    whole = animate("moving.gif", count=40).read_bytes()
    (tmp_path / "cut.gif").write_bytes(whole[: len(whole) // 2])
    loaded = load(tmp_path / "cut.gif", frames=4)
    assert len(loaded.frames) == 4
    assert loaded.numbers == loaded.indices
    assert any("cut off" in warning for warning in loaded.warnings)


def test_animation_longer_than_allowed_is_refused(animate, load):
    with pytest.raises(TooLargeError, match="DEEPFAKE_MAX_DURATION_S"):
        load(animate("moving.webp", duration=1000), max_duration_s=5)


def test_gif_whose_later_frame_is_huge_is_refused(tmp_path, repeated_gif, load):
    data = bytearray(repeated_gif(3, 16))
    second = data.index(b"!\xf9\x04", data.index(b"!\xf9\x04") + 1) + 8
    assert data[second : second + 9] == b",\x00\x00\x00\x00\x10\x00\x10\x00"
    data[second + 5 : second + 9] = b"\xff\xff\xff\xff"
    (tmp_path / "grows.gif").write_bytes(data)
    with pytest.raises(TooLargeError, match="65535 × 65535"):
        load(tmp_path / "grows.gif")
