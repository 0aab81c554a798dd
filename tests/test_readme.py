"""README's commands as written, in a folder that looks like the clone, against what its first command starts."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from conftest import write_clip
from deepfake_web.settings import WebSettings
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
FENCES = re.findall(r"^```(\w+)(?: ([^\n]+))?\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
COMMANDS = [line for kind, mark, text in FENCES if kind == "sh" and not mark for line in text.splitlines()]
CUSTOMARY = {"web": 8080, "grpc": 8001, "http": 8000, "metrics": 8002}
START_DEADLINE_S = 120


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    """A free port for each that README names."""
    sockets = {name: socket.create_server(("127.0.0.1", 0)) for name in CUSTOMARY}
    free = {name: each.getsockname()[1] for name, each in sockets.items()}
    for each in sockets.values():
        each.close()
    return free


@pytest.fixture(scope="module")
def folder(tmp_path_factory, face_clip: Path, astronaut: np.ndarray) -> Path:
    """What a user stands in: the clone's parts beside a clip, a picture and a crop of their own."""
    folder = tmp_path_factory.mktemp("clone")
    for part in ROOT.iterdir():
        (folder / part.name).symlink_to(part)
    (folder / "clip.mp4").write_bytes(face_clip.read_bytes())
    Image.fromarray(astronaut).save(folder / "picture.jpg")
    Image.fromarray(astronaut[20:240, 110:330]).save(folder / "crop.jpg")
    for label in ("real", "fake"):
        (folder / "labelled" / label).mkdir(parents=True)
        (folder / "labelled" / label / "picture.jpg").symlink_to(folder / "picture.jpg")
        write_clip(folder / "labelled" / label / "clip.mp4", [astronaut[:400, 40:440]] * 4, rate=10)
    return folder


@pytest.fixture(scope="module")
def serving(folder: Path, ports: dict[str, int]) -> Iterator[None]:
    """README's first command, until Ctrl-C."""
    (command,) = [text for kind, mark, text in FENCES if kind == "sh" and mark == "background"]
    triton = [str(ports[name]) for name in ("grpc", "http", "metrics")]
    words = [*shlex.split(command, comments=True), "--triton-ports", *triton]
    with subprocess.Popen(
        words,
        cwd=folder,
        env={**os.environ, "DEEPFAKE_PORT": str(ports["web"])},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            started = time.monotonic()
            assert process.stdout.readline() == f"Ready: http://127.0.0.1:{ports['web']}\n"
            assert time.monotonic() - started < START_DEADLINE_S
            yield
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            process.kill()


def run(command: str, folder: Path, ports: dict[str, int]) -> str:
    """The standard output of a command that must succeed."""
    for name, port in CUSTOMARY.items():
        command = command.replace(f"127.0.0.1:{port}", f"127.0.0.1:{ports[name]}")
    done = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_readme_works_as_written(command, folder, ports, serving):
    output = run(command, folder, ports)
    if "/predict" in command and "ndjson" not in command:
        answer = json.loads(output)
        assert list(answer)[:4] == ["file_type", "frames_processed", "confidence", "label"]
        assert answer["label"] in ("REAL", "FAKE")
    elif "/predict" in command:
        events = [json.loads(line) for line in output.splitlines()]
        assert len(events) > 3
    elif "/health" in command:
        assert json.loads(output)["status"] == "ok"
    elif "evaluate" in command:
        (findings,) = re.findall(r"--output (\w+)", command)
        assert (folder / findings / "report.md").read_text().startswith("# lite")
    elif "examples" in command:
        assert re.search(r"probability of FAKE: [01]\.\d+", output)


def test_the_library_example_works_as_written(folder, ports, serving):
    (code,) = [text for kind, _, text in FENCES if kind == "python"]
    code = code.replace("127.0.0.1:8001", f"127.0.0.1:{ports['grpc']}")
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() in ("REAL", "FAKE"), done.stderr


def test_only_what_cannot_run_here_is_left_out():
    reasons = "needs Docker|needs the five files|it would run itself|takes hours|takes a GPU"
    reasons += "|needs 20 files and 10 groups of each class"
    marks = [mark for kind, mark, _ in FENCES if kind == "sh" and mark.startswith("not-run")]
    assert all(re.fullmatch(f"not-run: ({reasons})", mark) for mark in marks)


def test_the_settings_table_is_the_settings():
    rows = re.findall(r"^\| `DEEPFAKE_(\w+)` \| ([^|]*?) ?\| ([^|]*) \|$", README, re.MULTILINE)
    assert rows == [(each.name.upper(), str(each.default), each.metadata["help"]) for each in fields(WebSettings)]


def test_every_file_that_readme_links_to_exists():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
