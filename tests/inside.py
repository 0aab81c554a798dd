"""Runs what a test says inside the real decoding process, in the place of a reader or beside it."""

import os
from pathlib import Path

import pytest

READER = """
import json, os
import deepfake_client.media.pictures as pictures
from deepfake_client.media.frame import Frame, Opened

{setup}

def read(request):
{body}

pictures.read = read
"""


def customize(monkeypatch: pytest.MonkeyPatch, folder: Path, code: str) -> None:
    """Has Python run the code first in every process that is started from now on, the decoding process among them."""
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)


def reader(body: str, setup: str = "") -> str:
    """Code that replaces the reader of pictures; the body yields its parts, or raises."""
    return READER.format(setup=setup, body="\n".join(f"    {line}" for line in body.strip().splitlines()))
