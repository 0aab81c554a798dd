"""What a server says of its networks' device."""

import pytest
from deepfake_client import Detector
from deepfake_web.device import Server, describe


@pytest.fixture
def networks(triton) -> list[str]:
    with Detector(triton) as detector:
        return list(detector.model.titles)


@pytest.mark.parametrize("told", [True, False])
def test_networks_run_on_a_cpu_here_by_the_servers_metrics_or_its_configuration(triton_server, networks, told):
    server = describe(triton_server.grpc, triton_server.metrics if told else "", networks)
    assert server and server.version and server.device == "cpu"


def test_a_device_is_unknown_where_no_network_is(triton):
    assert describe(triton, "", ()).device == "unknown"


def test_a_server_that_does_not_answer_is_none(networks):
    assert describe("127.0.0.1:9", "", networks) is None


@pytest.mark.parametrize(
    ("providers", "device"),
    [
        (["CUDAExecutionProvider", "TensorrtExecutionProvider"], "gpu"),
        (["CPUExecutionProvider", "CPUExecutionProvider"], "cpu"),
        (["CUDAExecutionProvider", "CPUExecutionProvider"], "mixed"),
    ],
)
def test_the_device_is_what_the_sessions_of_all_networks_report(triton, monkeypatch, providers, device):
    said = dict(zip(("a", "b"), providers, strict=True))
    monkeypatch.setattr("deepfake_web.device._providers", lambda metrics: said)
    assert isinstance(server := describe(triton, "x:1", said), Server) and server.device == device
