"""A Triton of our own on loopback, for as long as a command runs: the one place where the client imports serving."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deepfake_contract.errors import UnavailableError
from deepfake_serving.launch import Device, Ports
from deepfake_serving.server import TritonServer
from deepfake_serving.supervisor import Supervisor

FREE_PORTS: Ports = (0, 0, 0)
VARIABLE = "DEEPFAKE_REPOSITORY"
DEFAULT_REPOSITORY = Path(__file__).parents[2] / "model_repository"  # in a clone; an installed package has none


@dataclass(frozen=True)
class EmbeddedTriton:
    """`grpc`, `http` and `metrics` are its addresses ("host:port"); restarts keep them."""

    grpc: str
    http: str
    metrics: str
    _supervisor: Supervisor = field(repr=False)

    @property
    def failure(self) -> str | None:
        """Why it was given up, for an operator; None while it serves or restarts."""
        return self._supervisor.failure


@contextmanager
def embedded_triton(repository: Path | None = None, device: Device = "auto") -> Iterator[str]:
    """Starts one for a single piece of work and yields its gRPC address; it is not restarted when it dies.

    `repository` is a model repository, by default find_repository's. UnavailableError says what hinders the start.
    """
    with _started(repository, device) as server:
        yield server.grpc


@contextmanager
def embedded_server(
    repository: Path | None = None, device: Device = "auto", ports: Ports = FREE_PORTS
) -> Iterator[EmbeddedTriton]:
    """Starts one that is watched and restarted, for a service; `ports` are gRPC, HTTP and metrics, 0 for a free one."""
    with _started(repository, device, ports) as server, Supervisor(server) as supervisor:
        yield EmbeddedTriton(server.grpc, server.http, server.metrics, supervisor)


def find_repository() -> Path:
    """The model repository that the variable names, else the clone's; UnavailableError where there is neither."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    if not DEFAULT_REPOSITORY.is_dir():
        raise UnavailableError(
            "There is no model repository to serve: an installed package holds none. Name a folder with --repository "
            f"or in {VARIABLE} (the source's model_repository, or what `deepfake export` wrote), or a running Triton "
            "with --triton."
        )
    return DEFAULT_REPOSITORY


@contextmanager
def _started(repository: Path | None, device: Device, ports: Ports = FREE_PORTS) -> Iterator[TritonServer]:
    server = TritonServer(repository or find_repository(), device=device, ports=ports)
    server.start()
    try:
        yield server
    finally:
        server.stop()
