"""A PNG that browsers show is read, whatever its extras hold, and no extra unpacks to more than is allowed."""

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from deepfake_client.media import pngs
from deepfake_contract.errors import DamagedMediaError
from PIL import Image, ImageCms

FILES = Path(__file__).with_name("files")
MIB = 1 << 20


def chunk(kind: bytes, data: bytes, check: int | None = None) -> bytes:
    check = zlib.crc32(kind + data) if check is None else check
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def packed_text(size: int, kind: bytes = b"zTXt") -> bytes:
    names = {b"zTXt": b"Comment\0\0", b"iTXt": b"Comment\0\1\0\0\0", b"iCCP": b"profile\0\0"}
    return chunk(kind, names[kind] + zlib.compress(b"x" * size, 9))


@pytest.fixture
def with_extras(tmp_path, numbered):
    """`with_extras(before, after)`: the path of a PNG of 77 with these chunks around its pixels."""
    png = io.BytesIO()
    Image.fromarray(numbered(77)).save(png, "PNG")
    data = png.getvalue()
    first, last = data.index(b"IDAT") - 4, data.index(b"IEND") - 4

    def with_extras(before: bytes = b"", after: bytes = b"") -> Path:
        path = tmp_path / "picture.png"
        path.write_bytes(data[:first] + before + data[first:last] + after + data[last:])
        return path

    return with_extras


BAD = 0x12345678
EXTRAS = {
    "a text of 3 MiB": packed_text(3 * MIB),
    "a text of 300 MiB": packed_text(300 * MIB),
    "an international text of 300 MiB": packed_text(300 * MIB, b"iTXt"),
    "a profile of 300 MiB": packed_text(300 * MIB, b"iCCP"),
    "texts of 6 MiB each": packed_text(6 * MIB) * 20,
    "plain texts of 6 MiB each": chunk(b"tEXt", b"Comment\0" + b"x" * 6 * MIB) * 12,
    "a private chunk of 9 MiB": chunk(b"prVt", bytes(9 * MIB)),
    "a text with a bad checksum": chunk(b"tEXt", b"Comment\0hello", BAD),
    "an orientation with a bad checksum": chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0", BAD),
    "a text packed in an unknown way": chunk(b"zTXt", b"Comment\0\7abc"),
    "a gamma of two bytes": chunk(b"gAMA", b"\0\1"),
    "a size of pixels of three bytes": chunk(b"pHYs", b"\0\1\2"),
    "no letter at all": chunk(b"zTXt", b""),
    "an empty profile": chunk(b"iCCP", b""),
}


@pytest.mark.parametrize("name", EXTRAS)
def test_png_is_read_whatever_its_extras_hold(name, with_extras, load):
    loaded = load(with_extras(before=EXTRAS[name]))
    assert (loaded.kind, loaded.numbers) == ("image", [77])
    assert (loaded.info.width, loaded.info.height) == (160, 96)
    assert not any("cut off" in warning for warning in loaded.warnings)


@pytest.mark.parametrize("name", EXTRAS)
def test_extras_after_the_pixels_do_not_make_it_a_picture_that_is_cut_off(name, with_extras, load):
    loaded = load(with_extras(after=EXTRAS[name]))
    assert (loaded.kind, loaded.numbers, loaded.warnings) == ("image", [77], [])


def test_texts_that_are_whole_are_read_beside_one_that_is_not(with_extras, load):
    good = chunk(b"tEXt", b"Software\0A program")
    loaded = load(with_extras(before=EXTRAS["a text with a bad checksum"] + good + EXTRAS["a text of 300 MiB"]))
    assert loaded.provenance.tags == {"software": "A program"}


def test_a_long_text_is_read_to_its_allowed_length(with_extras, load):
    loaded = load(with_extras(before=EXTRAS["a text of 3 MiB"]))
    assert set(loaded.provenance.tags["comment"]) == {"x", "…"}


def test_a_large_colour_profile_is_used(with_extras):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    long = profile + bytes(3 * MIB)
    path = with_extras(before=chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(long)))
    with path.open("rb") as file, Image.open(next(pngs.readable(file.fileno()))) as image:
        assert image.info["icc_profile"] == long


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_what_unpacks_to_too_much_is_left_out_and_not_unpacked_whole(kind, with_extras, monkeypatch):
    taken = []

    class Counting:
        def __init__(self):
            self._real = zlib_decompressobj()

        def decompress(self, data, most):
            taken.append(len(part := self._real.decompress(data, most)))
            return part

        unconsumed_tail = property(lambda self: self._real.unconsumed_tail)

    zlib_decompressobj = zlib.decompressobj
    path = with_extras(before=packed_text(300 * MIB, kind))
    monkeypatch.setattr(pngs.zlib, "decompressobj", Counting)
    with path.open("rb") as file:
        left = next(pngs.readable(file.fileno())).read()
    assert kind not in left
    assert sum(taken) <= pngs.MAX_EXTRA_BYTES + MIB


def test_an_ordinary_png_is_the_file_itself(with_extras):
    path = with_extras(before=chunk(b"tEXt", b"Comment\0hello"))
    with path.open("rb") as file:
        given = next(pngs.readable(file.fileno()))
        assert given.fileno() == file.fileno()
        assert given.read() == path.read_bytes()


@pytest.mark.parametrize("damage", [b"IDAT", b"IHDR"])
def test_a_bad_checksum_of_what_the_picture_needs_is_damage(damage, with_extras, load):
    path = with_extras()
    data = bytearray(path.read_bytes())
    at = data.index(damage)
    length = int.from_bytes(data[at - 4 : at], "big")
    if damage == b"IDAT":
        data[at + 4 : at + 4 + length] = os.urandom(length)
    data[at + 4 + length] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(DamagedMediaError):
        load(path)


def test_an_animation_that_counts_its_frames_wrong_is_the_picture_that_it_begins_with(load):
    loaded = load(FILES / "apng_num_frames_low.png")
    assert (loaded.kind, loaded.info.codec, len(loaded.frames), loaded.warnings) == ("image", "png", 1, [])
    with Image.open(FILES / "apng_num_frames_low.png") as image:
        assert np.array_equal(loaded.frames[0].image, np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("said", [2, 7, 100])
def test_an_animation_that_counts_too_many_or_too_few_frames_is_shown(said, tmp_path, numbered, load):
    pictures = [Image.fromarray(numbered(each)) for each in range(5)]
    pictures[0].save(tmp_path / "moving.png", save_all=True, append_images=pictures[1:], duration=100)
    data = bytearray((tmp_path / "moving.png").read_bytes())
    at = data.index(b"acTL")
    data[at + 4 : at + 8] = said.to_bytes(4, "big")
    data[at + 12 : at + 16] = struct.pack(">I", zlib.crc32(data[at : at + 12]))
    (tmp_path / "moving.png").write_bytes(data)
    loaded = load(tmp_path / "moving.png")
    assert (loaded.kind, loaded.numbers) == ("video", list(range(min(said, 5))))


def test_a_picture_whose_animation_makes_no_sense_is_the_picture(with_extras, load):
    control = struct.pack(">5I2H2B", 5, 160, 96, 0, 0, 1, 10, 0, 0)  # begins with the sixth part of a sequence
    animation = chunk(b"acTL", struct.pack(">II", 1, 0))
    loaded = load(with_extras(before=animation, after=chunk(b"fcTL", control) + chunk(b"fdAT", bytes(30))))
    assert (loaded.kind, loaded.numbers, loaded.warnings) == ("image", [77], [])
