"""How tritonserver is called: its backends, its arguments, its environment variables."""

import os
import shutil
from pathlib import Path
from typing import Literal

from deepfake_serving.environment import Environment

HOST = "127.0.0.1"  # this server predates security fixes: never anything but loopback
SHARED_MEMORY_BYTES = 8 * 2**20  # a model process's own segment at the start; it grows
BACKEND = Path(__file__).parent / "backends" / "onnxruntime"
STRIPPED = {"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV"}  # lead model processes to another Python

FIXED = {
    "PYTHONNOUSERSITE": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime's wheels report each session to their maker otherwise
}

Device = Literal["auto", "cpu", "gpu"]
Ports = tuple[int, int, int]  # gRPC, HTTP, metrics


def assemble_backends(environment: Environment, folder: Path) -> Path:
    """Makes the backend directory: the wheel's Python backend, and ours that it runs."""
    python = folder / "python"
    python.mkdir(parents=True)
    # The server refuses a linked library ("escapes backend directory"); the stub finds its libraries only by a link.
    for name in ("libtriton_python.so", "triton_python_backend_utils.py"):
        shutil.copy2(environment.python_backend / name, python)
    (python / environment.stub.name).symlink_to(environment.stub)
    shutil.copytree(BACKEND, folder / BACKEND.name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def arguments(
    environment: Environment, repository: Path, backends: Path, ports: Ports, prefix: str, deadline_s: float
) -> list[str]:
    """The command line; `prefix` begins the names of its shared-memory segments."""
    addresses = zip(("grpc", "http", "metrics"), ports, strict=True)
    return [
        str(environment.tritonserver),
        f"--model-repository={repository}",
        f"--backend-directory={backends}",
        "--model-control-mode=none",
        "--disable-auto-complete-config",
        f"--backend-config=python,shm-default-byte-size={SHARED_MEMORY_BYTES}",
        f"--backend-config=python,shm-region-prefix-name={prefix}",
        "--backend-config=python,thread-pool-size=1",  # threads that only models calling models use, 32 an instance
        f"--backend-config=python,stub-timeout-seconds={max(1, int(deadline_s))}",
        "--allow-gpu-metrics=false",
        "--allow-cpu-metrics=false",
        *(each for name, port in addresses for each in (f"--{name}-address={HOST}", f"--{name}-port={port}")),
    ]


def variables(environment: Environment, device: Device) -> dict[str, str]:
    """This process's environment, as the server and its model processes should see it."""
    result = {name: value for name, value in os.environ.items() if name not in STRIPPED}
    result["PATH"] = f"{environment.folder / 'bin'}:{result.get('PATH', os.defpath)}"
    result |= FIXED
    if device == "cpu":
        result["CUDA_VISIBLE_DEVICES"] = ""
    return result
