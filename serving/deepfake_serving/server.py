"""Starts the wheel's tritonserver on a model repository, and stops it without a trace.

with TritonServer(Path("model_repository")) as server:
    print(server.grpc)
"""

import json
import os
import re
import secrets
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from threading import Event
from typing import Literal

from deepfake_serving import keeper, kserve
from deepfake_serving.environment import Environment, find_environment
from deepfake_serving.errors import ServingError

HOST = "127.0.0.1"  # this server predates security fixes: never anything but loopback
START_DEADLINE_S = 180.0
PORT_TRIES = 3  # a free port may be taken by someone else before the server binds it
SHARED_MEMORY_BYTES = 8 * 2**20  # a model process's own segment at the start; it grows
BACKEND = Path(__file__).parents[1] / "backends" / "onnxruntime"
GPU_PROVIDERS = {"CUDAExecutionProvider", "TensorrtExecutionProvider"}

Device = Literal["auto", "cpu", "gpu"]


class TritonServer:
    """A tritonserver of our own on loopback; a context manager.

    `repository` is a Triton model repository; `environment` the serving environment (find_environment). `device`:
    "cpu" hides GPUs, "gpu" refuses a start in which a session doesn't run on one, "auto" takes what the repository
    asks for. `ports` are gRPC, HTTP and metrics, 0 for a free one. `log` is the file that the server's log is
    appended to; without it, it lasts as long as the server. After the start `grpc`, `http`, `metrics` are
    "host:port" and `pid` is the server's process. ServingError says what hinders the start.
    """

    def __init__(
        self,
        repository: Path,
        *,
        environment: Path | None = None,
        device: Device = "auto",
        ports: tuple[int, int, int] = (0, 0, 0),
        log: Path | None = None,
        start_deadline_s: float = START_DEADLINE_S,
    ):
        self.repository = Path(repository).absolute()
        self.environment = find_environment(environment)
        if not any(self.repository.glob("*/config.pbtxt")):
            raise ServingError(f"{self.repository} holds no models: no */config.pbtxt in it.")
        self._device = device
        self._wanted_ports = ports
        self._given_log = log
        self._start_deadline_s = start_deadline_s
        self._keeper: subprocess.Popen | None = None
        self._stopped = Event()
        self.ports = ports
        self.pid = 0

    def __enter__(self) -> "TritonServer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def grpc(self) -> str:
        return f"{HOST}:{self.ports[0]}"

    @property
    def http(self) -> str:
        return f"{HOST}:{self.ports[1]}"

    @property
    def metrics(self) -> str:
        return f"{HOST}:{self.ports[2]}"

    @property
    def log_text(self) -> str:
        """What the server has logged."""
        try:
            return self._log.read_text(errors="replace")
        except (AttributeError, OSError):
            return ""

    def start(self) -> "TritonServer":
        """Starts the server and waits until it serves every model."""
        self._stopped.clear()
        for _ in range(PORT_TRIES):
            self.ports = _fill_ports(self._wanted_ports)
            try:
                return self._start()
            except _PortTaken:
                continue
        raise ServingError(f"The ports {', '.join(map(str, self.ports))} are taken by other programs.")

    def restart(self) -> None:
        """Kills the server and starts it again on the same ports, so that clients find it; nothing after stop()."""
        self._end()
        for _ in range(PORT_TRIES):
            if self._stopped.is_set():
                return
            try:
                self._start()
                return
            except _PortTaken:
                continue
        raise ServingError(f"The ports {', '.join(map(str, self.ports))} were taken while the server restarted.")

    def stop(self) -> None:
        """Ends the server, its model processes, its shared memory and files. Safe to call twice, from any thread."""
        self._stopped.set()
        self._end()

    def is_running(self) -> bool:
        """Whether the server's process lives; it may be unhealthy all the same."""
        keeper = self._keeper
        # The keeper closes its output, or is gone, once the server has ended.
        return keeper is not None and not select.select([keeper.stdout], [], [], 0)[0]

    def sessions(self) -> dict[str, str]:
        """Which execution provider each model's session reports, by model."""
        text = kserve.call(self.metrics, "/metrics")[1].decode()
        return dict(re.findall(r'^deepfake_session\{model="([^"]+)",provider="([^"]+)"\} 1', text, re.MULTILINE))

    def _start(self) -> "TritonServer":
        self._started = time.time()
        self._folder = Path(tempfile.mkdtemp(prefix="deepfake-serving-"))
        self._prefix = f"deepfake_{os.getpid()}_{secrets.token_hex(4)}_"
        self._log = self._given_log or self._folder / "triton.log"
        try:
            self._spawn()
            self._wait_until_ready()
            self._check_device()
        except BaseException:
            self._end()
            raise
        return self

    def _spawn(self) -> None:
        backends = _assemble_backends(self.environment, self._folder / "backends")
        specification = {
            "command": self._command(backends),
            "parent": os.getpid(),
            "folder": str(self._folder),
            "prefix": self._prefix,
        }
        with self._log.open("ab") as log:
            self._keeper = subprocess.Popen(
                [sys.executable, "-I", "-S", keeper.__file__, json.dumps(specification)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                env=self._variables(),
            )
        self.pid = int(self._keeper.stdout.readline() or 0)  # type: ignore[union-attr]

    def _command(self, backends: Path) -> list[str]:
        grpc, http, metrics = self.ports
        return [
            str(self.environment.tritonserver),
            f"--model-repository={self.repository}",
            f"--backend-directory={backends}",
            "--model-control-mode=none",
            "--disable-auto-complete-config",
            f"--backend-config=python,shm-default-byte-size={SHARED_MEMORY_BYTES}",
            f"--backend-config=python,shm-region-prefix-name={self._prefix}",
            f"--backend-config=python,stub-timeout-seconds={int(self._start_deadline_s)}",
            *(f"--{each}-address={HOST}" for each in ("grpc", "http", "metrics")),
            f"--grpc-port={grpc}",
            f"--http-port={http}",
            f"--metrics-port={metrics}",
            "--allow-gpu-metrics=false",
            "--allow-cpu-metrics=false",
        ]

    def _variables(self) -> dict[str, str]:
        """This process's environment, without what would lead the model processes to another Python."""
        strangers = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYTHONSTARTUP"}
        variables = {name: value for name, value in os.environ.items() if name not in strangers}
        variables["PATH"] = f"{self.environment.folder / 'bin'}:{variables.get('PATH', os.defpath)}"
        variables |= {"PYTHONNOUSERSITE": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        if self._device == "cpu":
            variables["CUDA_VISIBLE_DEVICES"] = ""
        return variables

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self._start_deadline_s
        while not kserve.is_ready(self.http, timeout_s=1):
            if self._stopped.is_set():
                raise ServingError("Stopped while it was starting.")
            if not self.is_running():
                if re.search(r"address already in use|failed to bind|Unable to start", self.log_text, re.IGNORECASE):
                    raise _PortTaken
                raise ServingError(f"tritonserver did not start:\n{_reason(self.log_text)}")
            if time.monotonic() > deadline:
                raise ServingError(
                    f"tritonserver was not ready after {self._start_deadline_s:.0f} s:\n{_reason(self.log_text)}"
                )
            time.sleep(0.05)
        if not self.is_running():  # someone else's server answered on our port
            raise _PortTaken

    def _check_device(self) -> None:
        elsewhere = {model: each for model, each in self.sessions().items() if each not in GPU_PROVIDERS}
        if self._device == "gpu" and elsewhere:
            listing = ", ".join(f"{model} on {provider}" for model, provider in sorted(elsewhere.items()))
            raise ServingError(f"A GPU was asked for, but these sessions don't run on one: {listing}.")

    def _end(self) -> None:
        keeper_process, self._keeper = self._keeper, None
        if keeper_process is not None:
            keeper_process.terminate()
            keeper_process.wait()
            keeper_process.stdout.close()  # type: ignore[union-attr]
        if hasattr(self, "_folder"):
            keeper.sweep(self._folder, self._prefix, self._started)  # a keeper that was killed could not


class _PortTaken(Exception):
    pass


def _fill_ports(wanted: tuple[int, int, int]) -> tuple[int, int, int]:
    """The wanted ports, with a free one for each 0."""
    sockets = [socket.create_server((HOST, 0)) for port in wanted if port == 0]
    free = iter([each.getsockname()[1] for each in sockets])
    for each in sockets:
        each.close()
    grpc, http, metrics = (port or next(free) for port in wanted)
    return grpc, http, metrics


def _assemble_backends(environment: Environment, folder: Path) -> Path:
    """The backend directory: the wheel's Python backend, and ours that it runs."""
    python = folder / "python"
    python.mkdir(parents=True)
    # The server refuses a linked library ("escapes backend directory"); the stub finds its libraries only by a link.
    for name in ("libtriton_python.so", "triton_python_backend_utils.py"):
        shutil.copy2(environment.python_backend / name, python)
    (python / environment.stub.name).symlink_to(environment.stub)
    shutil.copytree(BACKEND, folder / BACKEND.name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def _reason(log: str) -> str:
    """The lines of the log that say why: its errors, or its end where it has none."""
    errors = [line for line in log.splitlines() if re.match(r"E\d{4} ", line) and "CudaDriverHelper" not in line]
    messages = [re.sub(r"^E\d{4} \S+ \d+ \S+\] ", "", line) for line in errors]
    return "\n".join(list(dict.fromkeys(messages))[-8:] or log.splitlines()[-12:]) or "(it logged nothing)"
