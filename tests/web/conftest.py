"""A detector that answers at once, for the mechanics of HTTP; the real one answers in test_served.py."""

import os
import re
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import av
import pytest
from deepfake_client.errors import DeepfakeError
from deepfake_client.results import (
    NO_CREDENTIALS,
    Accepted,
    FaceResult,
    FrameResult,
    MediaInfo,
    Model,
    Progress,
    Provenance,
    Result,
    Timing,
    TrackResult,
)
from deepfake_web import server
from deepfake_web.app import create_app
from deepfake_web.settings import WebSettings
from flask.testing import FlaskClient
from PIL import Image

MODEL = Model("lite", "1.0.0", "sha256:00", {"efficientnet": "a", "convnext": "b", "swin": "c"}, 0.04)
MEDIA = MediaInfo("00", 3, "mp4", "h264", 64, 48, 1.0, 30.0)
NETWORKS = {"efficientnet": 0.9, "convnext": 0.8, "swin": 0.7}
CONTRIBUTIONS = {"efficientnet": 1.0, "convnext": 0.5, "swin": 0.25, "intercept": -0.1}
FACE = FaceResult(1, (1.0, 2.0, 3.0, 4.0), (0.0, 0.0, 8.0, 8.0), 0.9, 0.9, NETWORKS)
FRAME = FrameResult(0, 0.0, 0.9, [FACE])
HOLD = b"hold"  # an upload that begins so is worked on until it is released
FLOOD = b"flood"  # and this has more frames than a connection takes in while nobody reads


def result(**changes) -> Result:
    values = {
        "file_type": "video",
        "frames_processed": 1,
        "confidence": 0.9,
        "label": "FAKE",
        "certainty": "high",
        "reasons": [],
        "threshold": 0.5,
        "model": MODEL,
        "networks": NETWORKS,
        "contributions": CONTRIBUTIONS,
        "media": MEDIA,
        "tracks": [TrackResult(1, 0.9, 1, 0.0, 0.0)],
        "frames": [FRAME],
        "warnings": [],
        "provenance": Provenance({"camera": "A camera"}, NO_CREDENTIALS),
        "method": {},
        "analysed_at": "2026-01-02T03:04:05+00:00",
        "timing_s": Timing(0.1, 0.1, 0.1, 0.1, 0.3),
    }
    return Result(**(values | changes))


class FakeDetector:
    """Answers a video with one frame; `fail_at` events raises `error`; waits for `gate` before the second event."""

    address = "127.0.0.1:1"  # no Triton

    def __init__(self, error: Exception | None = None, fail_at: int = 0, answer: Result | None = None):
        self.error, self.fail_at = error, fail_at
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Semaphore(0)
        self.closed = threading.Semaphore(0)
        self.answer = answer or result()
        self.paths: list[Path] = []
        self.contents: list[bytes] = []
        self.calls: list[tuple[int | None, bool]] = []
        self.model = MODEL

    def events(self, path, frames=None, heatmaps=False):
        self.paths.append(Path(path))
        self.contents.append(Path(path).read_bytes())
        self.calls.append((frames, heatmaps))
        self.begun.release()
        events = [Accepted(self.answer.file_type, MEDIA, 1), FRAME, Progress(1, 1), self.answer]
        try:
            if self.contents[-1].startswith(HOLD):
                yield from self._hold(path.readlink().parent / "release")
            if self.contents[-1].startswith(FLOOD):
                events[1:1] = [replace(FRAME, thumbnail="x" * 1_000_000)] * 100
            for number, event in enumerate(events):
                if self.error and number == self.fail_at:
                    raise self.error
                if number == 1:
                    assert self.gate.wait(30)
                yield event
        finally:
            self.closed.release()

    def _hold(self, release: Path):
        """Works on and on, until the file `release` is there."""
        yield Accepted(self.answer.file_type, MEDIA, 1)
        deadline = time.monotonic() + 60
        while not release.exists() and time.monotonic() < deadline:
            yield Progress(0, 1)
            time.sleep(0.02)

    def readiness(self):
        if isinstance(self.error, DeepfakeError):
            raise self.error
        return {"deepfake_ensemble": True}


@pytest.fixture
def settings(tmp_path) -> WebSettings:
    return WebSettings(upload_folder=str(tmp_path), max_bytes=1_000_000, max_analyses=1, max_waiting=1, max_wait_s=0.2)


@pytest.fixture
def detector() -> FakeDetector:
    return FakeDetector()


class Client(FlaskClient):
    """Reads each answer to its end and closes it, as a server does."""

    def open(self, *arguments, buffered=True, **options):
        return super().open(*arguments, buffered=buffered, **options)


@pytest.fixture
def make_app(settings):
    def make(detector, settings=settings):
        app = create_app(settings, detector)
        app.test_client_class = Client
        return app

    return make


@pytest.fixture
def app(make_app, detector):
    return make_app(detector)


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def make_detector() -> type[FakeDetector]:
    return FakeDetector


@pytest.fixture
def make_result():
    return result


def application():
    """What gunicorn serves in these tests."""
    return create_app(WebSettings.from_environment(), FakeDetector())  # type: ignore[arg-type]


@pytest.fixture
def serve(settings, monkeypatch):
    """A real gunicorn with the fake detector; gives "127.0.0.1", port."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))

    @contextmanager
    def start(**changes):
        changed = replace(settings, port=0, triton="127.0.0.1:1", **changes)
        listener = server.bind(changed)
        address = listener.getsockname()
        with server.running(listener, changed, "conftest:application()"):
            yield address

    return start


@pytest.fixture
def uploads(settings):
    """The uploads that are stored: files without a name, seen where they are held open."""

    def held() -> list[str]:
        links = []
        for path in Path("/proc").glob("[0-9]*/fd/*"):
            with suppress(OSError):
                links.append(str(path.readlink()))
        return [link for link in links if link.startswith(f"{settings.upload_folder}/#")]

    return held


@pytest.fixture
def eventually():
    """Waits for a condition; fails when it does not come."""

    def wait(condition, seconds=10.0, pause=0.02):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(pause)

    return wait


@dataclass(frozen=True)
class Served:
    """A running `deepfake serve`: its address, its process, and the folder for its temporary files."""

    address: str
    process: subprocess.Popen
    temporary: Path

    def processes(self, name: str) -> list[int]:
        """Those it started, by the name of their program."""
        stats = [path.read_text() for path in Path("/proc").glob("[0-9]*/stat")]
        fields = [re.match(r"(\d+) \((.*)\) . (\d+)", stat).groups() for stat in stats]
        parents = {int(pid): int(parent) for pid, _, parent in fields}

        def is_ours(pid: int) -> bool:
            return pid == self.process.pid or (pid in parents and is_ours(parents[pid]))

        return [int(pid) for pid, each, _ in fields if name in each and is_ours(int(pid))]


@contextmanager
def _serving(repository: Path, folder: Path):
    command = [sys.executable, "-m", "deepfake_client.command", "serve", "--port", "0", "--repository", str(repository)]
    with (folder / "log").open("w+") as log:
        temporary = folder / "temporary"
        temporary.mkdir()
        environment = {**os.environ, "TMPDIR": str(temporary)}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
        try:
            line = process.stdout.readline()  # its end, if the start fails
            log.seek(0)
            assert line.startswith("Ready: http://127.0.0.1:"), log.read()
            yield Served(line.split()[1], process, temporary)
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture(scope="session")
def served(repository, tmp_path_factory):
    """`deepfake serve` as people start it, on the shipped models."""
    with _serving(repository, tmp_path_factory.mktemp("served")) as served:
        yield served


@pytest.fixture
def served_alone(repository, tmp_path):
    """One that a test may harm."""
    with _serving(repository, tmp_path) as served:
        yield served


@pytest.fixture(scope="session")
def picture(astronaut, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("media") / "picture.png"
    Image.fromarray(astronaut).save(path)
    return path


@pytest.fixture(scope="session")
def clip(astronaut, tmp_path_factory) -> Path:
    """200 frames of 384 × 384: the view moves over the picture and back, its face always in sight."""
    path = tmp_path_factory.mktemp("media") / "clip.mp4"
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", 12, width=384, height=384)
        for number in range(200):
            at = abs(100 - number)
            view = av.VideoFrame.from_ndarray(astronaut[at // 4 : at // 4 + 384, at : at + 384].copy(), "rgb24")
            container.mux(stream.encode(view))
        container.mux(stream.encode(None))
    return path
