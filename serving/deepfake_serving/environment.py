"""The serving environment: where the wheel's tritonserver is, and whether it can run here."""

import os
import subprocess
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from deepfake_contract.errors import ServingError

VARIABLE = "DEEPFAKE_SERVING_ENVIRONMENT"
CLONE = Path(__file__).parents[2]  # where the package is not installed from a wheel
DEFAULT = CLONE / ".environments" / "serving"
RUNTIMES = ("onnxruntime", "onnxruntime-gpu")  # the same files: an environment holds one of them


@dataclass(frozen=True)
class Environment:
    """A virtual environment that was found able to serve."""

    folder: Path
    triton: Path
    python_version: str

    @property
    def tritonserver(self) -> Path:
        return self.triton / "bin" / "tritonserver"

    @property
    def python_backend(self) -> Path:
        return self.triton / "backends" / "python"

    @property
    def stub(self) -> Path:
        return self.triton / "python_backend_stubs" / self.python_version / "triton_python_backend_stub"


def find_environment(folder: Path | None = None) -> Environment:
    """The environment in `folder`, else in the variable's, else in the clone's; ServingError says what it lacks."""
    folder = (folder or Path(os.environ.get(VARIABLE) or DEFAULT)).absolute()
    if not (folder / "bin" / "python3").exists():
        raise ServingError(f"No serving environment in {folder}. {_cure()}")
    packages = max(folder.glob("lib/python3.*/site-packages"), default=folder)
    versions = {each.name.lower(): each.version for each in distributions(path=[str(packages)])}
    if "nvidia-pytriton" not in versions:
        raise ServingError(f"{folder} lacks tritonserver. Install requirements/serving-nodeps.txt into it.")
    _check_numpy(versions.get("numpy"), folder)
    _check_runtime(versions, folder)
    environment = Environment(
        folder=folder,
        triton=packages / "pytriton" / "tritonserver",
        python_version=packages.parent.name.removeprefix("python"),
    )
    if not environment.stub.exists():
        raise ServingError(
            f"tritonserver has no model process for Python {environment.python_version}: use 3.11 or 3.12."
        )
    _check_libraries(environment.tritonserver)
    _check_libraries(environment.stub)
    return environment


def _cure() -> str:
    if (CLONE / "scripts" / "serve").exists():
        return f"Run scripts/serve once, or set {VARIABLE}."
    locks = "requirements/serving.txt and, with --no-deps, requirements/serving-nodeps.txt"
    return f"Make a virtual environment, install the source's {locks} into it, and name its folder in {VARIABLE}."


def _check_numpy(version: str | None, folder: Path) -> None:
    # numpy 2 hands the Python backend of this server silently wrong tensors.
    if version is None or int(version.split(".")[0]) >= 2:
        found = f"numpy {version}" if version else "no numpy"
        raise ServingError(f"{folder} has {found}; model processes need 1.26. Install requirements/serving.txt.")


def _check_runtime(versions: dict[str, str], folder: Path) -> None:
    found = [each for each in RUNTIMES if each in versions]
    if len(found) != 1:
        count = "both" if found else "neither"
        raise ServingError(f"{folder} must hold one of {' and '.join(RUNTIMES)}, but holds {count}: set it up again.")


def _check_libraries(program: Path) -> None:
    """A model process that lacks a library makes the server wait in silence, so look first."""
    listing = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    missing = [line.split()[0] for line in listing.splitlines() if "not found" in line]
    if missing:
        packages = [each.split(".so")[0] for each in missing if each.startswith("libpython")]
        cure = f" As root: apt-get install {' '.join(packages)}" if packages else ""
        raise ServingError(f"The system lacks {', '.join(missing)}, which {program.name} needs.{cure}")
