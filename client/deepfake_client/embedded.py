"""A Triton of our own on loopback, for as long as a command runs: the one place where the client imports serving."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deepfake_contract.errors import UnavailableError
from deepfake_serving.launch import Device, Ports
from deepfake_serving.server import TritonServer
from deepfake_serving.supervisor import Supervisor

FREE_PORTS: Ports = (0, 0, 0)
VARIABLE = "DEEPFAKE_REPOSITORY"
DEFAULT_REPOSITORY = Path(__file__).parents[2] / "model_repository"  # in a clone; an installed package has none


@contextmanager
def embedded_triton(repository: Path | None = None, device: Device = "auto") -> Iterator[str]:
    """Starts one for a single piece of work and yields its gRPC address; it is not restarted when it dies.

    `repository` is a model repository, by default find_repository's. UnavailableError says what hinders the start.
    """
    with TritonServer(repository or find_repository(), device=device) as server:
        yield server.grpc


@contextmanager
def embedded_server(
    repository: Path | None = None, device: Device = "auto", ports: Ports = FREE_PORTS
) -> Iterator[tuple[TritonServer, Supervisor]]:
    """Starts one for a service, and who restarts it on the same ports; `ports` are gRPC, HTTP and metrics, 0 for a
    free one."""
    server = TritonServer(repository or find_repository(), device=device, ports=ports)
    with server, Supervisor(server) as supervisor:
        yield server, supervisor


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
