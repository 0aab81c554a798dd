"""Which Triton answers, and whether its networks run on a GPU: as the sessions report it, not as it was asked for."""

import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from deepfake_contract.session_metric import GPU_PROVIDERS, session_providers
from tritonclient.grpc import InferenceServerClient
from tritonclient.grpc.model_config_pb2 import ModelInstanceGroup
from tritonclient.utils import InferenceServerException

Device = Literal["cpu", "gpu", "mixed", "unknown"]
DEVICES: dict[bool, Device] = {True: "gpu", False: "cpu"}
DEADLINE_S = 2.0
GPU_KIND = ModelInstanceGroup.Kind.Value("KIND_GPU")


@dataclass(frozen=True)
class Server:
    version: str
    device: Device


def describe(triton: str, metrics: str, networks: Iterable[str]) -> Server | None:
    """The server at `triton` ("host:port" of its gRPC), and what these of its models run on, read from `metrics` where
    given; None where it does not answer."""
    client = InferenceServerClient(triton)
    try:
        version = client.get_server_metadata(client_timeout=DEADLINE_S).version
        providers = _providers(metrics) if metrics else {}
        on_gpu = {providers[name] in GPU_PROVIDERS if name in providers else _is_gpu(client, name) for name in networks}
    except (InferenceServerException, OSError):
        return None
    finally:
        client.close()
    return Server(version, "mixed" if len(on_gpu) > 1 else DEVICES[on_gpu.pop()] if on_gpu else "unknown")


def _providers(metrics: str) -> dict[str, str]:
    with urllib.request.urlopen(f"http://{metrics}/metrics", timeout=DEADLINE_S) as answer:
        return session_providers(answer.read().decode())


def _is_gpu(client: InferenceServerClient, model: str) -> bool:
    groups = client.get_model_config(model, client_timeout=DEADLINE_S).config.instance_group
    return any(group.kind == GPU_KIND for group in groups)
