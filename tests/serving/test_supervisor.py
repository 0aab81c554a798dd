"""A server that dies or hangs is there again soon; one that is only busy is left alone."""

import os
import signal
import time

import pytest
from deepfake_serving import kserve
from deepfake_serving.server import TritonServer
from deepfake_serving.supervisor import Supervisor

BACK_WITHIN_S = 20


@pytest.fixture
def watched(repository):
    """A server of two instances and its supervisor, which tries the models every 0.2 s."""
    repository.add("model", extra="instance_group [{ count: 2 }]")
    with (
        TritonServer(repository.folder) as server,
        Supervisor(server, interval_s=0.2, probe_deadline_s=3) as supervisor,
    ):
        yield server, supervisor


def answers(server: TritonServer) -> bool:
    try:
        return kserve.probe(server.http, "model", 2)[0] == 200
    except OSError:
        return False


def kill_server(server: TritonServer) -> None:
    os.kill(server.pid, signal.SIGKILL)


def kill_one_model_process(server: TritonServer) -> None:
    os.kill(server.processes()[1], signal.SIGKILL)


def stop_the_server_from_answering(server: TritonServer) -> None:
    os.kill(server.pid, signal.SIGSTOP)


def stop_a_model_from_answering(server: TritonServer) -> None:
    for process in server.processes()[1:]:
        os.kill(process, signal.SIGSTOP)


@pytest.mark.parametrize("harm", [kill_server, kill_one_model_process])
def test_a_killed_process_is_noticed_without_a_probe(repository, traces, eventually, harm):
    repository.add("model", extra="instance_group [{ count: 2 }]")
    with TritonServer(repository.folder) as server, Supervisor(server, interval_s=600) as supervisor:
        address, process = server.http, server.pid
        harm(server)
        assert eventually(lambda: server.pid != process and answers(server), BACK_WITHIN_S)
        assert (server.http, supervisor.restarts, supervisor.failure) == (address, 1, None)
    assert traces(os.getpid()) == []


@pytest.mark.parametrize("harm", [stop_the_server_from_answering, stop_a_model_from_answering])
def test_a_server_that_hangs_is_noticed_by_a_probe(watched, traces, eventually, harm):
    server, supervisor = watched
    process = server.pid
    harm(server)
    assert eventually(lambda: server.pid != process and answers(server), BACK_WITHIN_S)
    assert supervisor.restarts == 1
    supervisor.stop()
    server.stop()
    assert traces(os.getpid()) == []


def test_a_healthy_server_is_left_alone(watched, eventually):
    server, supervisor = watched
    process = server.pid

    def probes() -> int:
        statistics = kserve.read(server.http, "/v2/models/model/stats")["model_stats"][0]
        return int(statistics["inference_stats"]["success"]["count"])

    assert eventually(lambda: probes() >= 3)
    assert (server.pid, supervisor.restarts) == (process, 0)


def test_a_busy_server_is_left_alone(repository, slow_model, eventually):
    """Rejected probes, as under overload, are no fault."""
    nodes, constants = slow_model
    queue = "default_queue_policy { timeout_action: REJECT default_timeout_microseconds: 1 }"
    busy = f"instance_group [{{ count: 1 }}]\ndynamic_batching {{ max_queue_delay_microseconds: 20000 {queue} }}"
    repository.add("model", nodes, constants=constants, batch=8, extra=busy)
    with TritonServer(repository.folder) as server:
        status, message = kserve.probe(server.http, "model", 5)
        assert status == 503, message
        with Supervisor(server, interval_s=0.1, probe_deadline_s=3) as supervisor:
            rejected = lambda: kserve.call(server.metrics, "/metrics")[1].decode().split('"REJECTED"')[1].split()[1]  # noqa: E731
            assert eventually(lambda: int(rejected()) >= 4)
            assert (supervisor.restarts, server.is_running()) == (0, True)


def test_a_server_that_never_comes_back_is_given_up_with_a_reason(repository, eventually):
    repository.add("model")
    with (
        TritonServer(repository.folder) as server,
        Supervisor(server, interval_s=0.2, most_restarts=2) as supervisor,
    ):
        (repository.folder / "model" / "1" / "model.onnx").write_bytes(b"damaged meanwhile")
        kill_server(server)
        assert eventually(lambda: supervisor.failure, BACK_WITHIN_S)
        assert "failed 2 times, one after the other" in supervisor.failure
        assert "failed to load 'model'" in supervisor.failure


def test_the_supervisor_stops_at_once_even_in_a_probe(watched):
    server, supervisor = watched
    stop_the_server_from_answering(server)
    started = time.monotonic()
    supervisor.stop()
    server.stop()
    assert time.monotonic() - started < 3
