"""What is the file's fault and what is ours are told apart, and the log says where ours is."""

import io
import logging
from pathlib import Path

import pytest
from deepfake_client.media import process
from deepfake_client.media.complaints import MAX_CHARACTERS, MAX_LINES
from deepfake_client.media.frame import Request
from deepfake_contract.errors import DamagedMediaError, DeepfakeError
from inside import customize, reader
from PIL import Image
from signing import new_signer

SECRET = "what the file says"
OPENED = 'yield Opened("image", "x", 1, 1, None, None, 0, {})'
LATE_IMPORTS = """
import os, sys
from deepfake_client.media import sandbox

confine = sandbox.lock_down

def lock_down():
    confine()
    sys.addaudithook(lambda event, details: event == "import" and os.write(2, f"late: {details[0]}\\n".encode()))

sandbox.lock_down = lock_down
"""


@pytest.fixture
def customized(tmp_path, monkeypatch):
    """Has the decoding process run this code first."""

    def customized(code: str) -> None:
        customize(monkeypatch, tmp_path / "custom", code)

    return customized


@pytest.fixture
def decode(tmp_path, load, customized):
    """Reads a picture with a reader whose body is this."""

    def decode(body: str, setup: str = ""):
        customized(reader(body, setup))
        Image.new("RGB", (8, 8)).save(tmp_path / "picture.png")
        return load(tmp_path / "picture.png")

    return decode


OURS = {
    "a module that is missing": "import no_such_module",
    "a name that is missing": "from deepfake_client.media.pixels import no_such_name",
    "a mistake in a reader": "yield 1 / 0",
    "a mistake with what the file says": f"yield int({SECRET!r})",
    "a mistake in a library that a reader calls": "import textwrap; textwrap.wrap(7)",
    "an import of a decoder that comes too late": "from PIL import ImageTransform",
    "a file that a decoder may not open": "from PIL import Image; Image.open('/etc/hostname')",
    "a late import that was taken for damage": (
        "from deepfake_contract.errors import DamagedMediaError\n"
        "try:\n    import xml.sax.handler\n"
        "except OSError as cause:\n    raise DamagedMediaError('It is damaged.') from cause"
    ),
}


@pytest.mark.parametrize("body", OURS.values(), ids=OURS)
def test_a_fault_of_ours_is_not_told_as_damage(decode, caplog, body):
    with pytest.raises(DeepfakeError) as raised:
        decode(f"{body}\n{OPENED}", "import textwrap")
    assert type(raised.value) is DeepfakeError and raised.value.status == 500
    assert "fault of its own" in str(raised.value)
    assert "sitecustomize:" in caplog.text  # where it was
    assert SECRET not in caplog.text and SECRET not in str(raised.value)


THEIRS = {
    "Pillow does not know it": "from PIL import Image; Image.open(io.BytesIO(b'GIF89a'))",
    "Pillow fails in the standard library": "ImageFile.Parser().feed(7)",
    "FFmpeg does not know it": "av.open(io.BytesIO(b'x' * 1000), format='mov')",
    "pillow_heif does not know it": "pillow_heif.open_heif(io.BytesIO(b'x' * 1000))",
    "c2pa does not know it": "c2pa.Reader('image/jpeg', io.BytesIO(b'x' * 1000))",
}


@pytest.mark.parametrize("body", THEIRS.values(), ids=THEIRS)
def test_what_a_decoder_raises_is_damage(decode, caplog, body):
    with pytest.raises(DamagedMediaError) as raised:
        decode(f"{body}\n{OPENED}", "import io, av, c2pa, pillow_heif\nfrom PIL import ImageFile")
    assert "Error" not in str(raised.value)
    assert caplog.text == ""


def test_a_refusal_of_ours_is_told_in_its_own_words(decode):
    with pytest.raises(DamagedMediaError, match="It is torn"):
        decode(
            f"from deepfake_contract.errors import DamagedMediaError\nraise DamagedMediaError('It is torn.')\n{OPENED}"
        )


def test_a_process_that_can_not_start_is_a_fault_of_ours(tmp_path, load, customized, caplog):
    customized("import sys; sys.modules['deepfake_client.media.sandbox'] = None")
    Image.new("RGB", (8, 8)).save(tmp_path / "picture.png")
    with pytest.raises(DeepfakeError) as raised:
        load(tmp_path / "picture.png")
    assert type(raised.value) is DeepfakeError
    assert "ImportError" in caplog.text or "ModuleNotFoundError" in caplog.text


def test_a_crash_is_damage_and_the_log_says_where(decode, caplog):
    with pytest.raises(DamagedMediaError, match="SIGSEGV"):
        decode(f"import ctypes; ctypes.string_at(0)\n{OPENED}", "import ctypes")
    assert "Segmentation fault" in caplog.text and "sitecustomize.py" in caplog.text


def test_the_log_gets_the_last_lines_of_standard_error_and_no_control_characters(decode, caplog):
    noise = "os.write(2, b'\\x1b[2J\\x07\\xff\\xe2\\x80\\xae evil ' + b'y' * 1000 + b'\\r\\n')"
    decode(f"for number in range(60): {noise}\nos.write(2, b'the last')\n{OPENED}")
    (record,) = caplog.records
    said = record.getMessage().split("\n", 1)[1].split("\n")
    assert record.levelno >= logging.WARNING
    assert len(said) == MAX_LINES and said[-1] == "the last"
    assert said[0].startswith("\\x1b[2J\\x07\\xff\\u202e evil yyy")
    assert all(line.isprintable() and len(line) < MAX_CHARACTERS + 40 for line in said)


def test_endless_complaints_hold_nobody_up(decode):
    body = (
        "for _ in range(10_000):\n    try:\n        os.write(2, b'y' * 1000)\n    except BlockingIOError:\n        pass"
    )
    assert decode(f"{body}\n{OPENED}").info.width == 1


def test_libraries_warnings_in_the_files_words_are_not_logged(decode, caplog):
    said = f"import logging, warnings\nwarnings.warn({SECRET!r})\nlogging.getLogger('PIL').error({SECRET!r})"
    decode(f"{said}\n{OPENED}")
    assert caplog.text == ""


def test_a_process_that_can_not_be_started_leaves_nothing_open(monkeypatch, tmp_path):
    before = sorted(Path("/proc/self/fd").iterdir())
    monkeypatch.setattr(process.sys, "executable", str(tmp_path / "absent"))
    request = Request(0, "video", "mov", "even", 2, 100, 10, 1 << 30, 10, "")
    with pytest.raises(FileNotFoundError), process.DecodingProcess(request, 10):
        pass
    assert sorted(Path("/proc/self/fd").iterdir()) == before


# Whatever decoding needs is loaded before the process becomes nobody's


def encoded(picture: Image.Image, form: str, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "BMP", "MPO"])
def test_nothing_is_imported_late_for_a_picture(form, tmp_path, load, customized, numbered, caplog):
    import pillow_heif

    pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "described", 1
    options = {} if form in ("GIF", "BMP") else {"exif": exif.tobytes()}
    path = tmp_path / "picture"
    path.write_bytes(encoded(Image.fromarray(numbered(3)), form, **options))
    customized(LATE_IMPORTS)
    assert load(path).frames
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "libx264"), ("a.mov", "libx265"), ("a.webm", "libvpx-vp9"), ("a.mkv", "libsvtav1"), ("a.ts", "libx264")],
)
def test_nothing_is_imported_late_for_a_clip(name, codec, tmp_path, load, customized, write_clip, caplog):
    path = write_clip(tmp_path / name, codec, count=12, sound=name != "a.webm")
    customized(LATE_IMPORTS)
    assert load(path).frames
    assert caplog.text == ""


def test_nothing_is_imported_late_for_content_credentials(tmp_path, load, customized, numbered, caplog):
    path = tmp_path / "signed.jpg"
    path.write_bytes(new_signer().sign(encoded(Image.fromarray(numbered(3)), "JPEG"), "image/jpeg"))
    customized(LATE_IMPORTS)
    assert load(path).provenance.credentials.state == "unknown_signer"
    assert caplog.text == ""


def test_the_watch_for_late_imports_sees_one(tmp_path, load, customized, caplog):
    customized(LATE_IMPORTS + reader(f"import colorsys\n{OPENED}"))
    Image.new("RGB", (8, 8)).save(tmp_path / "picture.png")
    with pytest.raises(DeepfakeError):
        load(tmp_path / "picture.png")
    assert "late: colorsys" in caplog.text
