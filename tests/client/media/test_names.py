"""A file is what it holds; its name says nothing and can do nothing."""

import hashlib

import pytest
from PIL import Image


@pytest.fixture
def clip(tmp_path, write_clip):
    return write_clip(tmp_path / "clip.mp4", "libx264", count=8)


@pytest.mark.parametrize(
    "name",
    [
        "-i.mp4",
        "a\r\nb.mp4",
        "$(id).mp4",
        "concat:a|b.mp4",
        "http:",
        "%d.png",
        "ünï ćødé.mp4",
        "fd:",
        " ",
        "a'b\"c.mp4",
    ],
)
def test_odd_name_is_only_a_name(name, clip, monkeypatch, load):
    renamed = clip.rename(clip.parent / name)
    monkeypatch.chdir(clip.parent)
    assert load(name).numbers == list(range(8))
    assert load(renamed).numbers == list(range(8))


def test_name_that_is_not_text_is_read(clip, load):
    renamed = clip.rename(clip.parent / b"\xff\xfe.mp4".decode("utf-8", "surrogateescape"))
    assert load(renamed).numbers == list(range(8))


def test_path_through_a_parent_folder_is_read(clip, monkeypatch, load):
    (clip.parent / "below").mkdir()
    monkeypatch.chdir(clip.parent / "below")
    assert load("../clip.mp4").numbers == list(range(8))


@pytest.mark.parametrize("name", ["clip.jpg", "clip.m3u8", "clip.txt", "clip", "clip.sdp"])
def test_video_under_a_wrong_name_is_a_video(name, clip, load):
    assert load(clip.rename(clip.parent / name)).info.container == "mp4"


def test_picture_under_a_videos_name_is_a_picture(tmp_path, numbered, load):
    Image.fromarray(numbered(3)).save(tmp_path / "clip.mp4", format="PNG")
    loaded = load(tmp_path / "clip.mp4")
    assert (loaded.kind, loaded.info.container, loaded.numbers) == ("image", "png", [3])


def test_digest_and_size_are_the_files(clip, load):
    info = load(clip).info
    assert info.sha256 == hashlib.sha256(clip.read_bytes()).hexdigest()
    assert info.bytes == clip.stat().st_size


def test_reading_the_same_file_twice_at_once_gives_the_same(clip, load):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        for loaded in pool.map(load, [clip, clip]):
            assert loaded.numbers == list(range(8))
