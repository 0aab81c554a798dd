"""A fault of the decoder and a damaged file, over HTTP: the deployed server and the real decoding process."""

import io
import json
import os
import re
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
from deepfake_web import gunicorn_app
from inside import customize, reader
from PIL import Image


@pytest.fixture
def post(settings, monkeypatch, tmp_path, capfd):
    """Has a picture decoded by a reader with this body, or our own; gives status, problem, and the server's log."""

    def post(content: bytes, body: str = "") -> tuple[int, dict, str]:
        monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]), prepend=os.pathsep)
        customize(monkeypatch, tmp_path / "custom", reader(body) if body else "")
        changed = replace(settings, port=0, triton="127.0.0.1:1")
        listener = gunicorn_app.bind(changed)
        address = gunicorn_app.address_of(listener)
        with gunicorn_app.running(listener, changed, "decoding_detector:application()"):
            form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n%s\r\n--x--\r\n' % content
            kind = {"Content-Type": "multipart/form-data; boundary=x"}
            request = urllib.request.Request(f"{address}/predict", form, kind)
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=60)
            return refused.value.code, json.load(refused.value), capfd.readouterr().err

    return post


@pytest.fixture
def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_fault_of_ours_is_500_and_the_log_says_where_under_its_number(post, png):
    status, problem, log = post(png, "yield {}['what the file says']")
    assert (status, problem["title"]) == (500, "Internal error")
    (request_id,) = re.findall(r"[\da-f-]{36}", problem["instance"])
    assert request_id in log and "sitecustomize:" in log and "builtins.KeyError" in log
    assert "what the file says" not in log


def test_a_damaged_file_is_422(post, png):
    status, problem, _ = post(png[:40])
    assert (status, problem["title"]) == (422, "Nothing to analyse")
    assert "Error" not in problem["detail"]
