"""Pictures of every kind that phones and browsers write are seen as they are shown."""

import numpy as np
import pillow_heif
import pytest
from deepfake_client.media import open_media
from deepfake_client.settings import ClientSettings
from PIL import Image, ImageOps

ORIENTATION = 0x0112
UNDO = {  # orientation tag: what was done to the picture, which the tag undoes (EXIF 2.32, 4.6.4)
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: upright.swapaxes(0, 1)[::-1, ::-1],
    8: lambda upright: np.rot90(upright, -1),
}


@pytest.fixture(autouse=True, scope="module")
def _heif():
    pillow_heif.register_heif_opener()


@pytest.fixture
def picture(numbered) -> np.ndarray:
    return numbered(77)


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[ORIENTATION] = orientation
    return tags


def the_picture(loaded, width: int = 160, height: int = 96) -> np.ndarray:
    """Its only frame, after what every picture's answer must say."""
    assert (loaded.kind, loaded.frames_expected, loaded.indices) == ("image", 1, [0])
    assert (loaded.info.width, loaded.info.height) == (width, height)
    assert loaded.info.duration_s is None
    assert loaded.info.frame_rate is None
    image = loaded.frames[0].image
    assert image.shape == (height, width, 3)
    assert image.dtype == np.uint8
    assert loaded.warnings == []
    return image


@pytest.mark.parametrize("orientation", UNDO)
def test_jpeg_is_upright_with_every_exif_orientation(orientation, tmp_path, picture, load, read_number):
    stored = Image.fromarray(np.ascontiguousarray(UNDO[orientation](picture)))
    stored.save(tmp_path / "photo.jpg", exif=exif(orientation), quality=95)
    assert read_number(the_picture(load(tmp_path / "photo.jpg"))) == 77


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("name", ["photo.heic", "photo.avif", "photo.webp", "photo.png"])
def test_other_pictures_are_turned_once(name, orientation, tmp_path, picture, load, read_number):
    stored = Image.fromarray(np.ascontiguousarray(UNDO[orientation](picture)))
    stored.save(tmp_path / name, exif=exif(orientation).tobytes())
    assert read_number(the_picture(load(tmp_path / name))) == 77


@pytest.mark.parametrize(
    ("name", "container", "codec"),
    [
        ("photo.jpg", "jpeg", "jpeg"),
        ("photo.png", "png", "png"),
        ("photo.webp", "webp", "webp"),
        ("photo.gif", "gif", "gif"),
        ("photo.bmp", "bmp", "bmp"),
        ("photo.heic", "heic", "hevc"),
        ("photo.avif", "avif", "av1"),
    ],
)
def test_a_picture_is_named_by_its_content(name, container, codec, tmp_path, picture, load, read_number):
    Image.fromarray(picture).save(tmp_path / name)
    loaded = load(tmp_path / name)
    assert (loaded.info.container, loaded.info.codec) == (container, codec)
    assert loaded.info.bytes == (tmp_path / name).stat().st_size
    assert read_number(the_picture(loaded)) == 77


def test_lossless_picture_keeps_every_pixel(tmp_path, astronaut, load):
    Image.fromarray(astronaut).save(tmp_path / "photo.png")
    assert np.array_equal(the_picture(load(tmp_path / "photo.png"), 512, 512), astronaut)


def test_jpeg_has_the_pixels_that_pillow_gives(tmp_path, astronaut, load):
    stored = Image.fromarray(np.ascontiguousarray(UNDO[6](astronaut[:300])))
    stored.save(tmp_path / "photo.jpg", exif=exif(6), quality=80)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "photo.jpg")).convert("RGB"))
    assert np.array_equal(the_picture(load(tmp_path / "photo.jpg"), 512, 300), expected)


def test_grey_picture_has_three_equal_channels(tmp_path, picture, load):
    grey = Image.fromarray(picture).convert("L")
    grey.save(tmp_path / "grey.png")
    image = the_picture(load(tmp_path / "grey.png"))
    assert np.array_equal(image, np.repeat(np.asarray(grey)[..., None], 3, axis=2))


def test_cmyk_jpeg_has_its_colours(tmp_path, picture, load, read_number):
    Image.fromarray(picture).convert("CMYK").save(tmp_path / "print.jpg", quality=95)
    assert read_number(the_picture(load(tmp_path / "print.jpg"))) == 77


def test_palette_png_has_its_colours(tmp_path, picture, load):
    Image.fromarray(picture).quantize(8).save(tmp_path / "palette.png")
    assert np.abs(the_picture(load(tmp_path / "palette.png")).astype(int) - picture).max() <= 2


def test_transparent_parts_are_white(tmp_path, picture, load):
    alpha = np.full((96, 160), 255, np.uint8)
    alpha[:, 100:] = 0
    alpha[:, 90:100] = 127
    Image.fromarray(np.dstack([picture, alpha])).save(tmp_path / "alpha.png")
    image = the_picture(load(tmp_path / "alpha.png"))
    assert np.array_equal(image[:, :90], picture[:, :90])
    assert np.all(image[:, 100:] == 255)
    assert np.allclose(image[:, 90:100], 0.5 * picture[:, 90:100] + 0.5 * 255, atol=2)


def test_palette_with_a_transparent_colour_is_white_there(tmp_path, load):
    image = Image.new("P", (160, 96), 1)
    image.putpalette([0, 0, 0, 200, 10, 10])
    image.paste(0, (80, 0, 160, 96))
    image.save(tmp_path / "palette.png", transparency=0)
    shown = the_picture(load(tmp_path / "palette.png"))
    assert np.all(shown[:, :80] == (200, 10, 10))
    assert np.all(shown[:, 80:] == 255)


def test_sixteen_bits_of_grey_are_scaled_and_not_cut_off(tmp_path, load):
    ramp = np.linspace(0, 65535, 160).astype(np.uint16)
    Image.fromarray(np.repeat(ramp[None], 96, axis=0)).save(tmp_path / "deep.png")
    image = the_picture(load(tmp_path / "deep.png"))
    assert np.abs(image[0, :, 0].astype(int) - ramp / 257).max() <= 0.51
    assert np.array_equal(image[..., 0], image[..., 2])


def test_a_tight_face_crop_and_small_faces_are_given_whole(tmp_path, astronaut, load):
    face = astronaut[60:200, 160:290]
    Image.fromarray(face).save(tmp_path / "face.png")
    assert np.array_equal(the_picture(load(tmp_path / "face.png"), 130, 140), face)


def test_picture_of_one_pixel_is_read(tmp_path, load):
    Image.new("RGB", (1, 1), (10, 20, 30)).save(tmp_path / "dot.png")
    assert the_picture(load(tmp_path / "dot.png"), 1, 1).tolist() == [[[10, 20, 30]]]


def test_phone_picture_with_a_second_picture_inside_is_a_picture(tmp_path, picture, load, read_number):
    first, second = Image.fromarray(picture), Image.fromarray(picture[::-1])
    first.save(tmp_path / "portrait.jpg", format="MPO", save_all=True, append_images=[second], quality=95)
    assert read_number(the_picture(load(tmp_path / "portrait.jpg"))) == 77


def test_unreadable_exif_turns_nothing(tmp_path, picture, load, read_number):
    Image.fromarray(picture).save(tmp_path / "photo.jpg", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff", quality=95)
    assert read_number(the_picture(load(tmp_path / "photo.jpg"))) == 77


@pytest.mark.parametrize("name", ["photo.jpg", "photo.png"])
def test_picture_that_is_cut_off_shows_what_it_has_and_warns(name, tmp_path, astronaut, load):
    Image.fromarray(astronaut).save(tmp_path / "whole", format="JPEG" if name == "photo.jpg" else "PNG")
    whole = (tmp_path / "whole").read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    loaded = load(tmp_path / name)
    assert len(loaded.frames) == 1
    assert any("cut off" in warning for warning in loaded.warnings)
    for path, truncated in ((tmp_path / name, True), (tmp_path / "whole", False)):
        with open_media(path, "even", 1, ClientSettings()) as media:
            assert media.truncated is truncated
    assert np.abs(loaded.frames[0].image[:150].astype(int) - astronaut[:150]).mean() < 5
