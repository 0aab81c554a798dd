"""Runs what a test says inside the real decoding process, in the place of a reader or beside it."""

from pathlib import Path

READER = """
import json, os
import deepfake_client.media.pictures as pictures
from deepfake_client.media.frame import Frame, Opened

{setup}

def read(request):
{body}

pictures.read = read
"""


def write_customization(folder: Path, code: str) -> Path:
    """A folder for PYTHONPATH, which the decoding process is given; Python runs the code before it."""
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(code)
    return folder


def reader(body: str, setup: str = "") -> str:
    """Code that replaces the reader of pictures; the body yields its parts, or raises."""
    return READER.format(setup=setup, body="\n".join(f"    {line}" for line in body.strip().splitlines()))
