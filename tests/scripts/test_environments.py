"""The set-up of the environments, with real virtual environments that hold nothing."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def environments(tmp_path, monkeypatch):
    """The module with one small environment, in a folder of its own."""
    spec = importlib.util.spec_from_file_location("environments", ROOT / "scripts/environments.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "environments", module)
    spec.loader.exec_module(module)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements/empty.txt").write_text("")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "ENVIRONMENTS", tmp_path / ".environments")
    monkeypatch.setattr(module, "SPECS", {"small": module.Environment(("empty",), "0 GB", project=False)})
    return module


def test_a_second_start_changes_nothing(environments):
    (folder,) = environments.ensure("small")
    made = (folder / "pyvenv.cfg").stat().st_mtime_ns
    assert environments.ensure("small") == [folder]
    assert (folder / "pyvenv.cfg").stat().st_mtime_ns == made


def test_a_set_up_that_was_cut_off_mends_itself(environments, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(environments, "PIP_INSTALL", ["-c", "import sys; sys.exit('cut off')"])
        with pytest.raises(environments.SetUpError, match="cut off"):
            environments.ensure("small")
    (folder,) = environments.ensure("small")
    assert subprocess.run([folder / "bin/python", "-c", ""], check=False).returncode == 0


def test_a_changed_lock_makes_the_environment_anew(environments):
    (folder,) = environments.ensure("small")
    (folder / "leftover").touch()
    (environments.ROOT / "requirements/empty.txt").write_text("# changed\n")
    environments.ensure("small")
    assert not (folder / "leftover").exists()


def test_another_python_gets_one_sentence(environments, monkeypatch):
    monkeypatch.setattr(environments, "PYTHONS", ("2.7",))
    with pytest.raises(environments.SetUpError, match=r"^Python 2\.7 is needed .* found 3\.\d+[\d., ]*\.$"):
        environments.find_python()


def test_missing_packages_without_root_are_a_command_to_run(environments, monkeypatch):
    monkeypatch.setattr(environments.os, "geteuid", lambda: 1000)
    with pytest.raises(environments.SetUpError, match=r"sudo apt-get install libpython3\.11$"):
        environments.install_packages(["libpython3.11"])


@pytest.mark.parametrize("lock", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda lock: lock.stem)
def test_a_lock_pins_every_package_with_hashes_and_names_no_index(lock):
    text = lock.read_text().replace("\\\n", " ")
    requirements = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert requirements
    for line in requirements:
        assert re.match(r"[\w.\-\[\]]+==\S+", line) and "--hash=sha256:" in line, line
        assert "://" not in line and "index" not in line, line


def test_serving_downloads_no_torch():
    for lock in ("client", "serving", "serving-gpu", "serving-nodeps"):
        assert not re.search(r"^torch", (ROOT / f"requirements/{lock}.txt").read_text(), re.MULTILINE)
