"""What is refused of a form, and of a folder for uploads."""

import os
import subprocess
import sys
from dataclasses import replace
from io import BytesIO

import pytest
from deepfake_contract.errors import UsageError
from werkzeug.datastructures import MultiDict


@pytest.mark.parametrize(("field", "values"), [("frames", ["1", "2"]), ("frames", ["1", "1"]), ("heatmaps", ["", ""])])
def test_a_field_that_is_there_twice_is_refused(client, detector, field, values):
    answer = client.post("/predict", data=MultiDict([("file", (BytesIO(b"abc"), "a")), *((field, v) for v in values)]))
    assert (answer.status_code, answer.json["title"]) == (400, "Bad request")
    assert f"'{field}'" in answer.json["detail"]
    assert detector.calls == []


def posted(client, disposition: bytes, *more: bytes):
    """A form whose file part begins with this line, after other parts."""
    parts = [*more, b"Content-Disposition: form-data; " + disposition + b"\r\nContent-Type: image/jpeg\r\n\r\nabc"]
    body = b"".join(b"--x\r\n" + part + b"\r\n" for part in parts) + b"--x--\r\n"
    return client.post("/predict", data=body, content_type="multipart/form-data; boundary=x")


@pytest.mark.parametrize(
    "name",
    [
        "Müller.jpg".encode("latin-1"),
        "表".encode("shift-jis"),  # its second byte is a backslash
        "表.jpg".encode("shift-jis"),
        b"\xff\xfe\x00.jpg",
        "é.jpg".encode("utf-16-be"),
        b"C:\\pictures\\",
        b'a \\"name\\".jpg',
        b"x" * 10_000,
    ],
)
def test_a_file_may_have_a_name_in_any_encoding(client, detector, name):
    for line in (b'name="file"; filename="' + name + b'"', b'filename="' + name + b'"; name="file"'):
        assert posted(client, line).status_code == 200
    assert detector.contents == [b"abc"] * 2


def field(name: str, value: bytes = b"") -> bytes:
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value


def test_too_many_fields_are_told_as_that(client, detector):
    answer = posted(client, b'name="file"; filename="a"', *(field(f"a{number}") for number in range(17)))
    assert answer.status_code == 400
    assert "too many fields: more than 16" in answer.json["detail"] and "MiB" not in answer.json["detail"]
    assert detector.calls == []


@pytest.mark.parametrize("count", [1, 3])
def test_fields_that_are_too_large_are_told_as_that(client, settings, count):
    fields = [field(f"a{number}", b"y" * (700_000 // count)) for number in range(count)]
    answer = posted(client, b'name="file"; filename="a"', *fields)
    assert answer.status_code == 413
    assert "fields are larger than 512 KiB" in answer.json["detail"]


def test_a_folder_for_uploads_that_is_missing_stops_the_application(make_app, detector, settings, tmp_path):
    with pytest.raises(UsageError, match=r"gone: No such file or directory\. Set DEEPFAKE_UPLOAD_FOLDER"):
        make_app(detector, replace(settings, upload_folder=str(tmp_path / "gone")))


def test_a_file_is_no_folder_for_uploads(make_app, detector, settings, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="Not a directory"):
        make_app(detector, replace(settings, upload_folder=str(tmp_path / "file")))


def test_serve_stops_at_a_missing_folder_with_a_sentence_before_it_starts_anything(tmp_path):
    command = [
        sys.executable,
        "-m",
        "deepfake_client.cli.dispatch",
        "serve",
        "--port",
        "0",
        "--repository",
        str(tmp_path),
    ]
    environment = os.environ | {"DEEPFAKE_UPLOAD_FOLDER": str(tmp_path / "gone")}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == UsageError.exit_code
    (sentence,) = ended.stderr.splitlines()
    assert "No upload can be stored in" in sentence and "DEEPFAKE_UPLOAD_FOLDER" in sentence
