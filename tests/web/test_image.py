"""web/Dockerfile step by step, without Docker: the packages of its locks, the wheel it builds, a picture answered."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from signing import new_signer

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "web/Dockerfile"
VERSIONED = shutil.ignore_patterns("__pycache__", "*.egg-info")
STEP_DEADLINE_S = 300  # installing downloads what pip's cache lacks

Step = tuple[str, list[str]]  # an instruction's word, and the rest in words


def stages() -> list[list[Step]]:
    """The instructions of each stage, each begun by its FROM."""
    lines = DOCKERFILE.read_text().replace("\\\n", " ").splitlines()
    steps = [(words[0], words[1:]) for words in map(shlex.split, lines) if words and not words[0].startswith("#")]
    starts = [at for at, (word, _) in enumerate(steps) if word == "FROM"]
    return [steps[start:end] for start, end in zip(starts, [*starts[1:], len(steps)], strict=True)]


def clean_environment(**more: str) -> dict[str, str]:
    """This process's, without what leads a program to this clone's packages and settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DEEPFAKE_"))} | more


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """The root of the build stage after its steps, run as they are written, with this Python for the base's."""
    root = tmp_path_factory.mktemp("image")
    folder = root
    for word, rest in stages()[0][1:]:
        if word == "WORKDIR":
            folder = root / rest[0].lstrip("/")
            folder.mkdir(parents=True)
        elif word == "COPY":
            copy(rest[:-1], folder / rest[-1])
        elif word == "RUN":
            run(rest, root, folder)
        else:
            pytest.fail(f"{word}: this test does not know the instruction")
    return root


def copy(sources: list[str], target: Path) -> None:
    """As COPY does it: a folder's content goes into the target, a file into it where it is a folder."""
    for source in sources:
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, target, ignore=VERSIONED, dirs_exist_ok=True)
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, target)


def run(words: list[str], root: Path, folder: Path) -> None:
    program = {"python": sys.executable}.get(words[0], words[0])
    command = [
        f"{root}{each}" if each.startswith("/opt/") else each
        for each in (program, *words[1:])
        if each != "--no-cache-dir"
    ]
    environment = clean_environment(PIP_COMPILE="0")  # half the time
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=STEP_DEADLINE_S)
    assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}{done.stderr}"


@pytest.fixture(scope="module")
def installed(built) -> Path:
    """The virtual environment that the last stage takes along."""
    (source,) = [rest[1] for word, rest in stages()[-1] if word == "COPY" and rest[0].startswith("--from=")]
    return built / source.lstrip("/")


@pytest.fixture(scope="module")
def signed(tmp_path_factory, astronaut: np.ndarray) -> Path:
    """A picture of a face with Content Credentials."""
    folder = tmp_path_factory.mktemp("signed")
    Image.fromarray(astronaut).save(folder / "plain.jpg", quality=92)
    path = folder / "signed.jpg"
    path.write_bytes(new_signer().sign((folder / "plain.jpg").read_bytes(), "image/jpeg"))
    return path


@pytest.fixture
def settings(repository: Path) -> dict[str, str]:
    """What the installed packages need to start a Triton of their own."""
    from deepfake_serving.environment import find_environment

    return {"DEEPFAKE_SERVING_ENVIRONMENT": str(find_environment().folder), "DEEPFAKE_REPOSITORY": str(repository)}


def test_the_command_is_on_the_path_of_the_last_stage(built):
    variables = dict(each.split("=", 1) for word, rest in stages()[-1] if word == "ENV" for each in rest)
    command = json.loads(re.search(r"^CMD (.+)$", DOCKERFILE.read_text(), re.MULTILINE)[1])
    folder = variables["PATH"].split(":")[0]
    assert os.access(f"{built}{folder}/{command[0]}", os.X_OK)


def test_a_picture_with_content_credentials_is_answered_by_the_installed_packages(installed, signed, settings):
    """Its own Triton, too: the wheel's backend, on the clone's models."""
    environment = clean_environment(**settings)
    command = [installed / "bin/deepfake", "scan", "--json", signed]
    done = subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["label"] in ("REAL", "FAKE")
    assert result["provenance"]["credentials"]["state"] == "unknown_signer"
    assert result["provenance"]["credentials"]["signer"] == "A Photographer, Test Press"


PAGE = """
import re
from deepfake_web.app import create_app
from deepfake_web.settings import WebSettings
client = create_app(WebSettings(triton="127.0.0.1:9")).test_client()
for page in ("/", "/docs"):
    answer = client.get(page)
    assert answer.status_code == 200, (page, answer.status)
    named = set(re.findall(r'"(/static/[^"]+)"', answer.text))
    assert named, page
    for each in named:
        print(each, client.get(each).status_code)
"""


def test_the_installed_page_has_all_that_it_names(installed):
    done = subprocess.run(
        [installed / "bin/python", "-c", PAGE], cwd="/", env=clean_environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    statuses = dict(line.split() for line in done.stdout.splitlines())
    assert {"200"} == set(statuses.values()), statuses
    assert any("/samples/" in each for each in statuses)


@pytest.mark.parametrize("missing", ["DEEPFAKE_REPOSITORY", "DEEPFAKE_SERVING_ENVIRONMENT"])
def test_the_installed_command_says_which_setting_it_lacks(installed, signed, settings, missing):
    del settings[missing]
    command = [installed / "bin/deepfake", "scan", signed]
    done = subprocess.run(
        command, cwd="/", env=clean_environment(**settings), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 4
    assert f"in {missing}" in done.stderr and "Traceback" not in done.stderr
    assert "scripts/serve" not in done.stderr, "that is in a clone only"
