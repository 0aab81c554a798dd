"""What a file says of itself arrives as a few short plain texts, whatever it says."""

import io

import pytest
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base
from PIL.PngImagePlugin import PngInfo
from pillow_heif import register_heif_opener

HOSTILE = "<script>alert(1)</script>\x1b[2J\n\u202eevil\0" + "A" * 1_000_000
SHOWN = "<script>alert(1)</script>�[2J �evil AAA"

register_heif_opener()


@pytest.fixture
def exif() -> Image.Exif:
    """What a phone writes, with its position."""
    exif = Image.Exif()
    exif[Base.Make], exif[Base.Model], exif[Base.Software] = "Maker", "Phone 7", "OS 17.1"
    exif[Base.Artist], exif[Base.ImageDescription] = "Zoë".encode(), "A harbour"
    exif._ifds[IFD.Exif] = {
        Base.DateTimeOriginal: "2026:05:01 12:00:00",
        Base.LensModel: "26 mm f/1.8",
        Base.UserComment: b"UNICODE\0" + "Zoë".encode("utf-16-be"),
    }
    exif._ifds[IFD.GPSInfo] = {GPS.GPSLatitudeRef: "N", GPS.GPSLatitude: (48.0, 11.0, 12.345)}
    return exif


@pytest.fixture
def save(tmp_path, numbered):
    """Saves a picture and gives its path: `save("JPEG", exif=…)`."""

    def save(form: str, **options):
        path = tmp_path / f"picture.{form.lower()}"
        Image.fromarray(numbered(5)).save(path, form, **options)
        return path

    return save


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF"])
def test_camera_and_software_of_a_picture(form, save, exif, load):
    assert load(save(form, exif=exif)).provenance.tags == {
        "camera": "Maker Phone 7",
        "lens": "26 mm f/1.8",
        "software": "OS 17.1",
        "taken_at": "2026:05:01 12:00:00",
        "artist": "Zoë",
        "description": "A harbour",
        "comment": "Zoë",
    }


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF"])
def test_the_place_of_a_picture_is_not_read_out(form, save, exif, load):
    path = save(form, exif=exif)
    with Image.open(path) as image:
        assert image.getexif().get_ifd(IFD.GPSInfo)[GPS.GPSLatitude][1] == 11
    said = str(load(path).provenance)
    assert not any(part in said for part in ("48", "11.0", "12.345"))


def test_a_make_that_the_model_repeats_is_said_once(save, exif, load):
    exif[Base.Make], exif[Base.Model] = "Canon", "Canon EOS 5D"
    assert load(save("JPEG", exif=exif)).provenance.tags["camera"] == "Canon EOS 5D"


def test_what_image_generators_write_into_png_is_there(save, load):
    text = PngInfo()
    text.add_text("parameters", "a portrait\nSteps: 20, Sampler: Euler a")
    text.add_text("Software", "A generator")
    text.add_itxt("Comment", "ä\u00a0b", zip=True)
    assert load(save("PNG", pnginfo=text)).provenance.tags == {
        "software": "A generator",
        "comment": "ä b",
        "generator": "a portrait Steps: 20, Sampler: Euler a",
    }


@pytest.mark.parametrize("form", ["JPEG", "GIF"])
def test_comment_of_a_picture(form, save, load):
    assert load(save(form, comment=b"from the field")).provenance.tags == {"comment": "from the field"}


def test_tags_of_an_animation(tmp_path, numbered, exif, load):
    first, *others = (Image.fromarray(numbered(each)) for each in range(3))
    first.save(tmp_path / "a.png", save_all=True, append_images=others, duration=200, exif=exif)
    clip = load(tmp_path / "a.png")
    assert (clip.kind, clip.provenance.tags["camera"]) == ("video", "Maker Phone 7")


def test_tags_of_a_clip(tmp_path, write_clip, load):
    said = {
        "com.apple.quicktime.make": "Maker",
        "com.apple.quicktime.model": "Phone 7",
        "com.apple.quicktime.software": "17.1",
        "com.apple.quicktime.location.ISO6709": "+48.1234+011.5678/",
        "location": "+48.1234+011.5678/",
        "creation_time": "2026-05-01T12:00:00.000000Z",
        "comment": "from the field",
    }
    path = write_clip(
        tmp_path / "a.mov",
        "libx264",
        container_options={"movflags": "use_metadata_tags"},
        prepare=lambda stream: stream.container.metadata.update(said),
    )
    assert b"+48.1234" in path.read_bytes()
    tags = load(path).provenance.tags
    assert tags.pop("encoder").startswith("Lavf")
    assert tags == {
        "camera": "Maker Phone 7",
        "software": "17.1",
        "handler": "VideoHandler",
        "taken_at": "2026-05-01T12:00:00.000000Z",
        "comment": "from the field",
    }


@pytest.mark.parametrize("name", ["a.mkv", "a.webm", "a.flv"])
def test_other_containers_name_their_encoder(name, tmp_path, write_clip, load):
    clip = load(write_clip(tmp_path / name, "libvpx" if name == "a.webm" else "libx264"))
    assert clip.provenance.tags["encoder"].startswith("Lav")


def test_hostile_tag_of_a_picture_is_short_plain_text(save, load):
    text = PngInfo()
    text.add_text("Software", HOSTILE.replace("\u202e", "\x9b"))
    text.add_itxt("Description", HOSTILE)
    for said in load(save("PNG", pnginfo=text)).provenance.tags.values():
        assert said.startswith(SHOWN)
        assert said.endswith("A…")
        assert len(said) == 300
        assert said.isprintable()


def test_hostile_tag_of_a_clip_is_short_plain_text(tmp_path, write_clip, load):
    def prepare(stream):
        stream.container.metadata["comment"] = HOSTILE.replace("\0", " ")

    said = load(write_clip(tmp_path / "a.mkv", "libx264", prepare=prepare)).provenance.tags["comment"]
    assert said.startswith(SHOWN)
    assert len(said) == 300


def test_unreadable_tags_are_no_error(save, exif, load):
    whole = exif.tobytes()
    for data in (whole[:40], whole[:20] + b"\xff" * 60, b"Exif\0\0junk", b"Exif\0\0MM\0*\xff\xff\xff\xff"):
        picture = load(save("JPEG", exif=data))
        assert len(picture.frames) == 1
        assert "lens" not in picture.provenance.tags


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_unreadable_tags_of_an_animation_are_no_error(form, save, numbered, load):
    others = [Image.fromarray(numbered(each)) for each in (1, 2)]
    clip = load(save(form, save_all=True, append_images=others, duration=200, exif=b"Exif\0\0junk junk"))
    assert (clip.kind, len(clip.frames), clip.provenance.tags) == ("video", 3, {})


def test_tags_of_another_type_are_left_out(save, load):
    whole = Image.Exif()
    whole[Base.Model], whole[Base.Software] = "Phone 7", "OS"
    model = Base.Model.to_bytes(2, "big") + b"\0\2"  # its type is text
    data = whole.tobytes().replace(model, model[:2] + b"\0\3") + bytes(64)  # whole numbers
    assert load(save("JPEG", exif=data)).provenance.tags == {"software": "OS"}


def test_file_that_says_nothing_has_no_tags(save, load):
    assert load(save("BMP")).provenance.tags == {}


def test_reading_tags_does_not_turn_the_picture(save, load, numbered):
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[Base.Orientation], exif[Base.Software] = 3, "OS"
    Image.fromarray(numbered(5)).rotate(180).save(buffer, "PNG", exif=exif)
    path = save("PNG")
    path.write_bytes(buffer.getvalue())
    picture = load(path)
    assert picture.numbers == [5]
    assert picture.provenance.tags == {"software": "OS"}
