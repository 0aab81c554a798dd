"""Starts the wheel's tritonserver on a model repository, and stops it without a trace.

with TritonServer(Path("model_repository")) as server:
    print(server.grpc)
"""

import json
import os
import secrets
import select
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from threading import Event, RLock

from deepfake_contract.errors import ServingError
from deepfake_contract.session_metric import GPU_PROVIDERS, session_providers

from deepfake_serving import keeper, kserve, launch
from deepfake_serving.diagnosis import is_crash, is_port_taken, reason
from deepfake_serving.environment import find_environment
from deepfake_serving.launch import HOST, Device, Ports
from deepfake_serving.processes import living_children

START_DEADLINE_S = 180.0
READY_POLL_S = 0.05
KEEPER_DEADLINE_S = 10.0  # it kills, so this passes only where the system is stuck
START_TRIES = 3  # a free port may be taken before the server binds it; on a crowded machine its start crashes or hangs
LONGEST_SILENCE_S = 45.0  # of the log in a start: models load in seconds, each with a line


class TritonServer:
    """A tritonserver of our own on loopback; a context manager.

    `repository` is a Triton model repository; `environment` the serving environment (find_environment). `device`:
    "cpu" hides GPUs, "gpu" refuses a start in which a session doesn't run on one, "auto" takes what the repository
    asks for. `ports` are gRPC, HTTP and metrics, 0 for a free one. `log` is the file that the server's log is
    appended to; without it, it lasts as long as the server. After the start `grpc`, `http`, `metrics` are
    "host:port", `pid` is the server's process and `processes_at_start` has those of its models too. ServingError says
    what hinders the start.
    """

    def __init__(
        self,
        repository: Path,
        *,
        environment: Path | None = None,
        device: Device = "auto",
        ports: Ports = (0, 0, 0),
        log: Path | None = None,
        start_deadline_s: float = START_DEADLINE_S,
    ):
        self.repository = Path(repository).absolute()
        self.environment = find_environment(environment)
        if not any(self.repository.glob("*/config.pbtxt")):
            raise ServingError(f"{self.repository} holds no models: no */config.pbtxt in it.")
        self.ports = self._wanted_ports = ports
        self.pid = 0
        self.processes_at_start: list[int] = []
        self._device = device
        self._wanted_log = log
        self._start_deadline_s = start_deadline_s
        self._keeper: subprocess.Popen | None = None
        self._folder: Path | None = None
        self._stopped = Event()
        self._changing = RLock()

    def __enter__(self) -> "TritonServer":
        self.start()
        return self

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

    def start(self) -> None:
        """Starts the server and waits until it serves every model."""
        with self._changing:
            self._stopped.clear()
            self._start_on(self._wanted_ports)

    def restart(self) -> None:
        """Kills the server and starts it again on the same ports, so that clients find it; nothing after stop()."""
        with self._changing:
            self._end()
            if not self._stopped.is_set():
                self._start_on(self.ports)

    def stop(self) -> None:
        """Ends the server, its model processes, its shared memory and files. Safe to call twice, from any thread."""
        self._stopped.set()
        with self._changing:
            self._end()

    def is_running(self) -> bool:
        """Whether the server's process lives; it may be unhealthy all the same."""
        keeper_process = self._keeper
        if keeper_process is None:
            return False
        output = keeper_process.stdout
        assert output is not None
        if output.closed:
            return False
        poll = select.poll()
        poll.register(output, select.POLLIN)
        return not poll.poll(0)  # the keeper closes its output, or is gone, once the server has ended

    def processes(self) -> list[int]:
        """The process ids of the server and of its model processes that live."""
        return [self.pid, *living_children(self.pid)] if self.is_running() else []

    def sessions(self) -> dict[str, str]:
        """Which execution provider each model's session reports, by model; OSError where the server doesn't answer."""
        text = kserve.call(self.metrics, "/metrics")[1].decode()
        return session_providers(text)

    def log_text(self) -> str:
        """What the server has logged since its last start."""
        if self._folder is None:
            return ""
        with self._log.open(errors="replace") as log:
            log.seek(self._log_start)
            return log.read()

    def _start_on(self, ports: Ports) -> None:
        for tries_left in reversed(range(START_TRIES)):
            self.ports = _fill(ports)
            try:
                self._spawn()
                self._wait_until_ready(LONGEST_SILENCE_S if tries_left else self._start_deadline_s)
                self._check_device()
                self.processes_at_start = self.processes()
                return
            except _RetryableStart as fault:
                self._end()
                last = str(fault)
            except BaseException:
                self._end()
                raise
        raise ServingError(last)

    def _spawn(self) -> None:
        self._started = time.time()
        self._folder = Path(tempfile.mkdtemp(prefix="deepfake-serving-"))
        self._prefix = f"deepfake_{os.getpid()}_{secrets.token_hex(4)}_"
        self._log = self._wanted_log or self._folder / "triton.log"
        backends = launch.assemble_backends(self.environment, self._folder / "backends")
        command = launch.arguments(
            self.environment, self.repository, backends, self.ports, self._prefix, self._start_deadline_s
        )
        specification = {
            "command": command,
            "parent": os.getpid(),
            "folder": str(self._folder),
            "prefix": self._prefix,
        }
        with self._log.open("ab") as log:
            self._log_start = log.tell()
            self._keeper = subprocess.Popen(
                [sys.executable, "-I", "-S", keeper.__file__, json.dumps(specification)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                env=launch.variables(self.environment, self._device),
            )
        self.pid = int(self._keeper.stdout.readline() or 0)  # type: ignore[union-attr]

    def _wait_until_ready(self, silence_s: float) -> None:
        """Until it serves every model; another try where its log has stood still for `silence_s`."""
        deadline = time.monotonic() + self._start_deadline_s
        logged, last_news = 0, time.monotonic()
        # Metrics are served a moment after the rest.
        while not (kserve.is_ready(self.http, timeout_s=1) and kserve.answers(self.metrics, "/metrics")):
            if not self.is_running():
                text = self.log_text()
                if is_port_taken(text):
                    raise self._port_taken()
                if is_crash(text):
                    raise _RetryableStart(f"tritonserver crashed while it started:\n{reason(text)}")
                raise ServingError(f"tritonserver did not start:\n{reason(text)}")
            if time.monotonic() > deadline:
                raise ServingError(f"tritonserver took over {self._start_deadline_s:g} s:\n{reason(self.log_text())}")
            if (size := self._log.stat().st_size) > logged:
                logged, last_news = size, time.monotonic()
            if time.monotonic() > last_news + silence_s:
                raise _RetryableStart(f"tritonserver hung while it started:\n{reason(self.log_text())}")
            if self._stopped.wait(READY_POLL_S):
                raise ServingError("tritonserver was stopped while it started.")
        if not self.is_running():  # someone else's server answered on our port
            raise self._port_taken()

    def _port_taken(self) -> "_RetryableStart":
        return _RetryableStart(f"One of the ports {', '.join(map(str, self.ports))} is taken by another program.")

    def _check_device(self) -> None:
        if self._device != "gpu":
            return
        elsewhere = {model: each for model, each in self.sessions().items() if each not in GPU_PROVIDERS}
        if elsewhere:
            listing = ", ".join(f"{model} on {provider}" for model, provider in sorted(elsewhere.items()))
            raise ServingError(f"A GPU was asked for, but these sessions don't run on one: {listing}.")

    def _end(self) -> None:
        ending, self._keeper = self._keeper, None
        if ending is not None:
            ending.terminate()
            try:
                ending.wait(KEEPER_DEADLINE_S)
            except subprocess.TimeoutExpired:
                ending.kill()  # takes the server along, too
                ending.wait()
            ending.stdout.close()  # type: ignore[union-attr]
        if self._folder is not None:
            keeper.sweep(self._folder, self._prefix, self._started)  # a keeper that was killed could not
            self._folder = None


class _RetryableStart(Exception):
    pass


def _fill(ports: Ports) -> Ports:
    """The ports, with a free one for each 0."""
    for port in filter(None, ports):
        try:
            socket.create_server((HOST, port)).close()
        except (OSError, OverflowError) as cause:
            raise ServingError(f"Port {port} can't be listened on: {cause}.") from cause
    sockets = [socket.create_server((HOST, 0)) for port in ports if port == 0]
    free = iter([each.getsockname()[1] for each in sockets])
    for each in sockets:
        each.close()
    grpc, http, metrics = (port or next(free) for port in ports)
    return grpc, http, metrics
