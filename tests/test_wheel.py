"""The wheel is whole: every file of every package, and nothing beside them."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
COMPONENTS = sorted(path.parents[1] for path in ROOT.glob("*/deepfake_*/__init__.py"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built as pip builds it, from a copy: what a build leaves in a source folder would go into the next wheel."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for component in COMPONENTS:
        shutil.copytree(component, source / component.name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", target, source]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=target, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = target.glob("deepfake_detector-*.whl")
    return path


def test_the_wheel_holds_every_file_of_the_packages_and_no_other(wheel):
    packages = [path for component in COMPONENTS for path in component.glob("deepfake_*")]
    ours = {
        str(path.relative_to(package.parent))
        for package in packages
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    names = {each for each in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in each}
    assert {"deepfake_web/static/samples/clip.mp4", "deepfake_client/report/templates/report.html"} <= ours
    assert names == ours
