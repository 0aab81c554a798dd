"""Triton, or its model processes, are killed under an analysis: it ends soon, with the reason, and leaves nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from deepfake_client import Detector
from deepfake_client.results import Accepted, FrameResult
from deepfake_client.settings import ClientSettings
from deepfake_contract.errors import DeadlineError, UnavailableError
from deepfake_serving.server import TritonServer

BATCH = 4
BATCHES = 8  # of the clip's 32 frames
SOON_S = 20.0
ONE_AT_A_TIME = ClientSettings(batch_size=BATCH, requests_in_flight=1)  # so that a batch is not asked for ahead


@pytest.fixture
def server(repository):
    with TritonServer(repository) as server:
        yield server


def wait_for(condition: Callable[[], object], within_s: float = SOON_S):
    """The condition's first true value."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    pytest.fail("waited in vain")


def analyze_and_kill(server: TritonServer, clip: Path, batch: int, kill: Callable[[], None]) -> float:
    """Kills when the batch before `batch` (from 1) was answered; returns the seconds until the error."""
    answered, killed_at = 0, None
    with Detector(server.grpc, ONE_AT_A_TIME) as detector:
        try:
            for event in detector.events(clip):
                answered += isinstance(event, FrameResult)
                due = isinstance(event, Accepted) if batch == 1 else answered == BATCH * (batch - 1)
                if due and killed_at is None:
                    kill()
                    killed_at = time.monotonic()
        except UnavailableError:
            assert killed_at is not None
            return time.monotonic() - killed_at
    pytest.fail("the analysis came to an end without Triton")


@pytest.mark.parametrize("batch", [1, BATCHES // 2, BATCHES], ids=["first", "middle", "last"])
def test_an_analysis_ends_soon_when_triton_is_killed_at_a_batch(server, face_clip, batch):
    assert analyze_and_kill(server, face_clip, batch, lambda: os.kill(server.pid, signal.SIGKILL)) < SOON_S


@pytest.mark.parametrize("batch", [1, BATCHES // 2, BATCHES], ids=["first", "middle", "last"])
def test_an_analysis_ends_soon_when_the_model_processes_are_killed_at_a_batch(server, face_clip, batch):
    def kill():
        for process in server.processes():
            if process != server.pid:
                os.kill(process, signal.SIGKILL)

    assert analyze_and_kill(server, face_clip, batch, kill) < SOON_S


def test_a_triton_that_hangs_is_given_up_at_the_deadline(server, face_clip):
    with Detector(server.grpc, ClientSettings(request_deadline_s=3.0)) as detector:
        events = detector.events(face_clip)
        next(events)
        os.kill(server.pid, signal.SIGSTOP)
        try:
            with pytest.raises(DeadlineError):
                list(events)
        finally:
            os.kill(server.pid, signal.SIGCONT)


def test_a_detector_finds_a_triton_that_came_back(server, face_clip):
    with Detector(server.grpc, ClientSettings()) as detector:
        os.kill(server.pid, signal.SIGKILL)
        wait_for(lambda: not detector.ready())
        server.restart()
        wait_for(detector.ready)
        assert detector.analyze(face_clip, frames=4).frames_processed == 4


@pytest.fixture
def scan(tmp_path):
    """Starts `deepfake scan` in a process with a folder of its own for temporary files; ends it at the end."""
    running = []
    folder = tmp_path / "temporary"
    folder.mkdir()

    def start(*arguments: object) -> subprocess.Popen:
        command = [sys.executable, "-m", "deepfake_client.cli.dispatch", "scan", "--json", *map(str, arguments)]
        variables = os.environ | {"TMPDIR": str(folder)}
        running.append(
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables)
        )
        return running[-1]

    start.temporary = folder
    yield start
    for process in running:
        process.kill()
        process.communicate()


def test_a_scan_whose_triton_is_killed_exits_with_4_and_has_a_row_a_file(server, scan, face_clip, tmp_path):
    clips = [tmp_path / f"{at}.mp4" for at in range(30)]
    for clip in clips:
        clip.symlink_to(face_clip)
    process = scan("--triton", server.grpc, *clips)
    rows = [json.loads(process.stdout.readline())]
    os.kill(server.pid, signal.SIGKILL)
    rows += [json.loads(line) for line in process.communicate(timeout=SOON_S)[0].splitlines()]
    assert process.returncode == 4
    assert [Path(row["path"]) for row in rows] == clips
    assert rows[0]["label"] and rows[-1]["error"]["status"] == 503
    assert not list(scan.temporary.iterdir())


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_scan_leaves_no_process_and_no_file(repository, scan, face_clip, tmp_path, sent):
    clips = [tmp_path / f"{at}.mp4" for at in range(30)]
    for clip in clips:
        clip.symlink_to(face_clip)
    process = scan("--repository", repository, *clips)
    process.stdout.readline()  # the first row: Triton has started, and the next clip is being decoded
    children = wait_for(lambda: descendants(process.pid))
    assert any("tritonserver" in command for command in children.values())
    process.send_signal(sent)
    process.communicate(timeout=SOON_S)
    assert process.returncode == 130
    wait_for(lambda: not any(Path(f"/proc/{child}").exists() for child in children))
    assert not list(scan.temporary.iterdir())
    assert not [each for each in Path("/dev/shm").iterdir() if f"_{process.pid}_" in each.name]


def descendants(process: int) -> dict[int, str]:
    """The process's children and theirs, with their command lines."""
    found = {}
    try:
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text().split():
                found[int(child)] = Path(f"/proc/{child}/cmdline").read_text()
                found |= descendants(int(child))
    except OSError:
        pass  # it ended meanwhile
    return found
