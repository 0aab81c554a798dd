"""The server starts, tells why it can't, and leaves nothing, however it ends."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from deepfake_contract.errors import ServingError
from deepfake_serving import kserve, launch
from deepfake_serving import server as server_module
from deepfake_serving.server import TritonServer

TWO = "instance_group [{ count: 2 }]"
LAUNCHER = """
import sys, time
from pathlib import Path
from deepfake_serving.server import TritonServer
with TritonServer(Path(sys.argv[1])) as server:
    print(*server.processes(), flush=True)
    time.sleep(600)
"""


@pytest.fixture
def launched(repository):
    """A process that has started a server, and the process ids of the server and its models."""
    repository.add("model", extra=TWO)
    launchers = []

    def launch() -> tuple[subprocess.Popen, list[int]]:
        command = [sys.executable, "-c", LAUNCHER, repository.folder]
        launchers.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return launchers[-1], [int(each) for each in launchers[-1].stdout.readline().split()]

    yield launch
    for each in launchers:
        each.kill()
        each.wait()
        each.stdout.close()


def test_a_started_server_is_ready_on_loopback(repository):
    with TritonServer(repository.add("model").folder) as server:
        assert kserve.is_ready(server.http)
        assert {each.split(":")[0] for each in (server.grpc, server.http, server.metrics)} == {"127.0.0.1"}
        assert kserve.entry_models(server.http) == ["model"]


def test_a_stopped_server_leaves_no_process_memory_or_file(repository, traces, is_alive):
    with TritonServer(repository.add("model", extra=TWO).folder) as server:
        processes = server.processes()
        assert len(processes) == 3
        assert len(traces(os.getpid())) >= 3  # two segments, a folder
    assert not [each for each in processes if is_alive(each)]
    assert traces(os.getpid()) == []


def test_the_scratch_folder_that_the_server_makes_by_itself_is_removed(repository):
    before = set(Path("/tmp").glob("python_env_*"))
    with TritonServer(repository.add("model").folder):
        made = set(Path("/tmp").glob("python_env_*")) - before
        assert made
    assert not [each for each in made if each.exists()]


def test_stopping_takes_a_moment(repository):
    with TritonServer(repository.add("model").folder) as server:
        started = time.monotonic()
        server.stop()
        assert time.monotonic() - started < 3


def test_a_server_restarts_on_the_same_ports(repository):
    with TritonServer(repository.add("model").folder) as server:
        addresses, process = (server.grpc, server.http, server.metrics), server.pid
        server.restart()
        assert (server.grpc, server.http, server.metrics) == addresses
        assert server.pid != process
        assert kserve.probe(server.http, "model", 5)[0] == 200


def test_a_stopped_server_does_not_restart(repository):
    with TritonServer(repository.add("model").folder) as server:
        server.stop()
        server.restart()
        assert not server.is_running()


def test_two_servers_run_side_by_side_and_one_survives_the_other(repository):
    repository.add("model")
    with TritonServer(repository.folder) as first:
        with TritonServer(repository.folder) as second:
            assert first.grpc != second.grpc
        assert kserve.probe(first.http, "model", 5)[0] == 200


def test_a_killed_server_leaves_nothing_once_it_is_stopped(repository, traces, is_alive, eventually):
    with TritonServer(repository.add("model", extra=TWO).folder) as server:
        processes = server.processes()
        os.kill(server.pid, signal.SIGKILL)
        assert eventually(lambda: not server.is_running())
    assert not [each for each in processes if is_alive(each)]
    assert traces(os.getpid()) == []


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_launcher_that_is_gone_takes_everything_along(launched, traces, is_alive, eventually, end):
    launcher, processes = launched()
    assert len(processes) == 3
    assert traces(launcher.pid)
    launcher.send_signal(end)
    launcher.wait(timeout=10)
    assert eventually(lambda: not [each for each in processes if is_alive(each)])
    assert eventually(lambda: traces(launcher.pid) == [])


def test_a_keeper_that_is_killed_takes_the_server_along_and_stop_removes_the_rest(
    repository, traces, is_alive, eventually
):
    with TritonServer(repository.add("model", extra=TWO).folder) as server:
        processes = server.processes()
        server._keeper.kill()
        assert eventually(lambda: not [each for each in processes if is_alive(each)])
        assert not server.is_running()
    assert traces(os.getpid()) == []


def test_ctrl_c_at_the_terminal_reaches_the_launcher_only(repository):
    with TritonServer(repository.add("model").folder) as server:
        assert {os.getsid(each) for each in server.processes()}.isdisjoint({os.getsid(0)})


def test_a_crash_while_it_starts_is_tried_again(repository, monkeypatch):
    repository.add("model")
    commands = [["sh", "-c", "echo terminate called after throwing >&2; exit 134"]]
    real = launch.arguments
    monkeypatch.setattr(launch, "arguments", lambda *given: commands.pop() if commands else real(*given))
    with TritonServer(repository.folder) as server:
        assert not commands
        assert kserve.is_ready(server.http)


def test_a_start_that_crashes_every_time_says_so(repository, monkeypatch):
    repository.add("model")
    crash = ["sh", "-c", "echo terminate called after throwing >&2; exit 134"]
    monkeypatch.setattr(launch, "arguments", lambda *_: crash)
    with pytest.raises(ServingError, match="crashed while it started:\nterminate called"):
        TritonServer(repository.folder).start()


def test_a_start_that_hangs_is_tried_again(repository, monkeypatch):
    """Seen with large models: one is never ready, and nothing more is logged."""
    real = launch.arguments
    hangs = iter([["sleep", "600"]])
    monkeypatch.setattr(server_module, "LONGEST_SILENCE_S", 1.0)
    monkeypatch.setattr(launch, "arguments", lambda *arguments: next(hangs, None) or real(*arguments))
    with TritonServer(repository.add("model").folder) as server:
        assert kserve.is_ready(server.http)


def test_a_port_that_is_taken_is_named(repository):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServingError, match=f"Port {port} can't be listened on"):
            TritonServer(repository.add("model").folder, ports=(port, 0, 0)).start()


def test_a_folder_without_models_is_refused(tmp_path):
    with pytest.raises(ServingError, match="holds no models"):
        TritonServer(tmp_path)


def test_a_damaged_model_is_named(repository, traces):
    repository.add("model")
    (repository.folder / "model" / "1" / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(ServingError, match="failed to load 'model' version 1"):
        TritonServer(repository.folder).start()
    assert traces(os.getpid()) == []


def test_a_start_that_takes_too_long_ends(repository, traces):
    with pytest.raises(ServingError, match=r"took over 0\.01 s"):
        TritonServer(repository.add("model").folder, start_deadline_s=0.01).start()
    assert traces(os.getpid()) == []


def test_the_log_is_kept_where_it_was_asked_for(repository, tmp_path):
    log = tmp_path / "triton.log"
    with TritonServer(repository.add("model").folder, log=log):
        pass
    assert "'model' runs on CPUExecutionProvider" in log.read_text()
