"""HEIF files are what they hold, under whichever brand."""

import io
from pathlib import Path

import pillow_heif
import pytest
from deepfake_client.media.sniff import HEAD_BYTES, sniff
from PIL import Image


def branded(path: Path, brand: bytes) -> Path:
    """The file under this major brand; those that it is compatible with stay."""
    data = path.read_bytes()
    assert data[4:8] == b"ftyp"
    path.write_bytes(data[:8] + brand + data[12:])
    return path


@pytest.fixture
def still(tmp_path, numbered):
    """`still(brand, name)`: a picture of the number 77 as Pillow's HEIF or AVIF, under this brand."""
    pillow_heif.register_heif_opener()

    def still(brand: bytes, name: str) -> Path:
        Image.fromarray(numbered(77)).save(tmp_path / "picture", name)
        return branded(tmp_path / "picture", brand)

    return still


@pytest.mark.parametrize(("name", "container", "codec"), [("HEIF", "heic", "hevc"), ("AVIF", "avif", "av1")])
@pytest.mark.parametrize("brand", [b"mif1", b"miaf", b"msf1", b"heic", b"avif", b"isom", b"1pic"])
def test_a_single_picture_is_a_picture_of_its_own_coding(brand, name, container, codec, still, load):
    loaded = load(still(brand, name))
    assert (loaded.kind, loaded.info.container, loaded.info.codec) == ("image", container, codec)
    assert (loaded.numbers, loaded.info.duration_s, loaded.warnings) == ([77], None, [])


def test_moving_avif_under_a_general_brand_is_a_video(tmp_path, numbered, load):
    pictures = [Image.fromarray(numbered(each)) for each in range(4)]
    pictures[0].save(tmp_path / "moving", "AVIF", save_all=True, append_images=pictures[1:], duration=100)
    loaded = load(branded(tmp_path / "moving", b"msf1"))
    assert (loaded.kind, loaded.info.container, loaded.numbers) == ("video", "avif", [0, 1, 2, 3])


@pytest.mark.parametrize("brand", [b"msf1", b"mif1", b"miaf"])
def test_a_clip_without_a_picture_is_a_video_under_any_brand(brand, tmp_path, write_clip, load):
    options = {"options": {"x265-params": "log-level=none"}, "container_options": {"movflags": "faststart"}}
    loaded = load(branded(write_clip(tmp_path / "clip.mp4", "libx265", **options), brand))
    assert (loaded.kind, loaded.info.container, loaded.info.codec) == ("video", "mp4", "hevc")
    assert loaded.numbers == [3, 11, 18, 26, 33, 41, 48, 56]


def test_a_clip_with_tags_is_no_picture(tmp_path, write_clip):
    path = write_clip(tmp_path / "clip.mp4", "libx264", container_options={"movflags": "faststart+use_metadata_tags"})
    assert sniff(path.read_bytes()[:HEAD_BYTES]).reader == "video"


def test_items_beyond_the_first_bytes_leave_it_to_the_brand(still):
    data = still(b"mif1", "AVIF").read_bytes()
    assert sniff(data[:60]).format == "HEIF"
    assert sniff(data[:HEAD_BYTES]).format == "AVIF"


def test_boxes_of_any_length_are_gone_through():
    ftyp = b"\0\0\0\x14ftypmif1\0\0\0\0mif1"
    for size in (0, 1, 2, 7, 8, 0xFFFFFFFF):
        for kind in (b"meta", b"free", b"moov"):
            assert sniff(ftyp + size.to_bytes(4, "big") + kind + bytes(30)).container in ("heic", "mp4")


def test_the_file_keeps_all_but_its_brand_for_its_reader(still, load):
    path = still(b"1pic", "HEIF")
    with Image.open(io.BytesIO(path.read_bytes().replace(b"1pic", b"heic", 1))) as image:
        assert load(path).frames[0].image.tobytes() == image.convert("RGB").tobytes()
