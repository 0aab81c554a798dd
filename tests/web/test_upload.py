"""What is refused of a form, and of a folder for uploads."""

import os
import subprocess
import sys
from dataclasses import replace
from io import BytesIO

import pytest
from deepfake_client.errors import UsageError
from werkzeug.datastructures import MultiDict


@pytest.mark.parametrize(("field", "values"), [("frames", ["1", "2"]), ("frames", ["1", "1"]), ("heatmaps", ["", ""])])
def test_a_field_that_is_there_twice_is_refused(client, detector, field, values):
    answer = client.post("/predict", data=MultiDict([("file", (BytesIO(b"abc"), "a")), *((field, v) for v in values)]))
    assert (answer.status_code, answer.json["title"]) == (400, "Bad request")
    assert f"'{field}'" in answer.json["detail"]
    assert detector.calls == []


def test_a_folder_for_uploads_that_is_missing_stops_the_application(make_app, detector, settings, tmp_path):
    with pytest.raises(UsageError, match=r"gone: No such file or directory\. Set DEEPFAKE_UPLOAD_FOLDER"):
        make_app(detector, replace(settings, upload_folder=str(tmp_path / "gone")))


def test_a_file_is_no_folder_for_uploads(make_app, detector, settings, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="Not a directory"):
        make_app(detector, replace(settings, upload_folder=str(tmp_path / "file")))


def test_serve_stops_at_a_missing_folder_with_a_sentence_before_it_starts_anything(tmp_path):
    command = [sys.executable, "-m", "deepfake_client.command", "serve", "--port", "0", "--repository", str(tmp_path)]
    environment = os.environ | {"DEEPFAKE_UPLOAD_FOLDER": str(tmp_path / "gone")}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == UsageError.exit_code
    (sentence,) = ended.stderr.splitlines()
    assert "No upload can be stored in" in sentence and "DEEPFAKE_UPLOAD_FOLDER" in sentence
