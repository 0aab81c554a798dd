"""Sets up the project's Python environments: locked with hashes, and made anew when a set-up was cut off.

Plain standard library, so that it runs before anything is installed:
    python3 scripts/environments.py client serving
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / ".environments"
PYTHONS = ("3.11", "3.12")  # tritonserver's model processes exist for more; these are the ones locked for
PIP_INSTALL = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
GLIBC = (2, 35)  # oldest that nvidia-pytriton's wheel runs on


sys.path.insert(0, str(ROOT / "contract"))
from deepfake_contract.errors import SetUpError  # noqa: E402


@dataclass(frozen=True)
class Environment:
    """`locks` are files of requirements/; those ending in -nodeps are installed without their dependencies."""

    locks: tuple[str, ...]
    size: str
    project: bool = True


SPECS = {
    "client": Environment(("client", "client-nodeps"), "0.4 GB"),
    "serving": Environment(("serving", "serving-nodeps"), "0.3 GB", project=False),
    "serving-gpu": Environment(("serving-gpu", "serving-nodeps"), "0.7 GB", project=False),
    "training": Environment(("training", "training-nodeps", "client-nodeps"), "6.8 GB, most of it PyTorch"),
}


def ensure(*names: str) -> list[Path]:
    """The folders of these environments, each set up first where it is missing, outdated or half made."""
    python, version = find_python()
    install_packages(missing_packages(python, version, names))
    return [_ensure_one(name, python, version) for name in names]


def find_python() -> tuple[str, str]:
    """A Python to build on, the system's first: it is the one that the system's libpython belongs to."""
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"):
        raise SetUpError(f"Triton runs on 64-bit Linux; this is {platform.system()} on {platform.machine()}.")
    name, glibc = platform.libc_ver()
    if name != "glibc" or tuple(int(part) for part in glibc.split(".")[:2]) < GLIBC:
        raise SetUpError(
            f"tritonserver needs glibc {GLIBC[0]}.{GLIBC[1]} or newer (Debian 12, Ubuntu 24.04); "
            f"this system has {name or 'another C library'} {glibc}."
        )
    found = set()
    for candidate in ("/usr/bin/python3", sys.executable, *(shutil.which(f"python{each}") for each in PYTHONS)):
        if candidate and os.access(candidate, os.X_OK):
            code = "import sys; print('%d.%d' % sys.version_info[:2])"
            version = subprocess.run(
                [candidate, "-c", code], capture_output=True, text=True, check=False
            ).stdout.strip()
            if version in PYTHONS:
                return candidate, version
            found |= {version} - {""}
    raise SetUpError(
        f"Python {' or '.join(PYTHONS)} is needed (Debian 12 and Ubuntu 24.04 have it); "
        f"found {', '.join(sorted(found)) or 'none'}."
    )


def missing_packages(python: str, version: str, names: tuple[str, ...]) -> list[str]:
    """The system packages to install first."""
    missing = []
    if subprocess.run([python, "-c", "import ensurepip, venv"], capture_output=True, check=False).returncode:
        missing.append(f"python{version}-venv")
    if any(name.startswith("serving") for name in names):
        try:
            ctypes.CDLL(f"libpython{version}.so.1.0")
        except OSError:
            missing.append(f"libpython{version}")
    return missing


def install_packages(packages: list[str]) -> None:
    """Through apt when root; otherwise the command to run is the error. Never asks for a password."""
    if not packages:
        return
    if not shutil.which("apt-get"):
        raise SetUpError(f"These packages are needed, under whatever names this system has: {' '.join(packages)}.")
    if os.geteuid() != 0:
        raise SetUpError(f"System packages are missing. Run: sudo apt-get install {' '.join(packages)}")
    say(f"Installing {' '.join(packages)} with apt")
    quiet = {"stdout": subprocess.DEVNULL, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, "check": True}
    try:
        subprocess.run(["apt-get", "update", "-q"], **quiet)
        subprocess.run(["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages], **quiet)
    except subprocess.CalledProcessError as cause:
        raise SetUpError(f"apt-get could not install {' '.join(packages)}; its message stands above.") from cause


def serving_name(device: str | None = None) -> str:
    """Which serving environment: for "gpu" or "cpu" as asked, else the GPU one where `nvidia-smi` answers."""
    if device is None:
        driver = shutil.which("nvidia-smi")
        answers = driver is not None and subprocess.run([driver], capture_output=True, check=False).returncode == 0
        device = "gpu" if answers else "cpu"
    return "serving-gpu" if device == "gpu" else "serving"


def _ensure_one(name: str, python: str, version: str) -> Path:
    folder = ENVIRONMENTS / name
    stamp = folder / "complete"
    ENVIRONMENTS.mkdir(exist_ok=True)
    with (ENVIRONMENTS / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two first starts at once: the second waits for the first
        wanted = _digests(SPECS[name], folder, version)
        found = stamp.read_text().split() if stamp.exists() else []
        if found[:1] != wanted[:1]:
            say(f"Setting up the {name} environment, once ({SPECS[name].size})")
            _build(SPECS[name], folder, python)
        if found != wanted:
            stamp.unlink(missing_ok=True)
            if SPECS[name].project:
                _install_project(folder)
            stamp.write_text(" ".join(wanted))
    return folder


def _digests(spec: Environment, folder: Path, version: str) -> list[str]:
    """Of what the packages are made from, and of what the project's own installation is, which takes seconds. The
    folder counts, as its scripts hold that path."""
    packages = [str(folder).encode(), version.encode(), *(_lock_file(lock).read_bytes() for lock in spec.locks)]
    project = [(ROOT / "pyproject.toml").read_bytes()] if spec.project else []
    return [hashlib.sha256(b"\0".join(parts)).hexdigest() for parts in (packages, project) if parts]


def _build(spec: Environment, folder: Path, python: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    _run([python, "-m", "venv", str(folder)])
    pip = [str(folder / "bin/python"), *PIP_INSTALL]
    for lock in spec.locks:
        alone = ["--no-deps"] if lock.endswith("-nodeps") else []
        _run([*pip, "--require-hashes", *alone, "-r", str(_lock_file(lock))], progress=True)


def _install_project(folder: Path) -> None:
    pip = [str(folder / "bin/python"), *PIP_INSTALL]
    _run([*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])


def _lock_file(lock: str) -> Path:
    return ROOT / "requirements" / f"{lock}.txt"


def _run(command: list[str], progress: bool = False) -> None:
    """Runs a command; its output is kept back, and shown whole if it fails."""
    output = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            output.append(line)
            if progress and line.startswith(("Collecting ", "Installing collected")):
                say(f"  {line.split(' from ')[0].split(': ')[0].strip()}", again=True)
    if process.returncode:
        raise SetUpError(f"{''.join(output)}\nThe set-up failed at: {' '.join(command)}\nStart again to try once more.")


def say(text: str, again: bool = False) -> None:
    """A line on standard error; with `again`, a line that the next one replaces, on terminals only."""
    if not again:
        print(text, file=sys.stderr, flush=True)
    elif sys.stderr.isatty():
        print(f"\r\033[K{text[:78]}\r", end="", file=sys.stderr, flush=True)


def run(main) -> None:
    """Calls `main` and ends the program: a sentence instead of a traceback, 130 at Ctrl-C."""
    try:
        sys.exit(main(sys.argv[1:]))
    except SetUpError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("\nStopped; the next start goes on from here.", file=sys.stderr)
        sys.exit(130)


def main(arguments: list[str]) -> int:
    if not arguments or any(name not in SPECS for name in arguments):
        raise SetUpError(f"Usage: scripts/environments.py NAME…, of {', '.join(SPECS)}")
    for folder in ensure(*arguments):
        print(folder)
    return 0


if __name__ == "__main__":
    run(main)
