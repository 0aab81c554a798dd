"""The application with a detector that answers at once, `deepfake serve` as people start it, and a browser."""

import os
import re
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import av
import pytest
from deepfake_web import gunicorn_app
from deepfake_web.app import create_app
from deepfake_web.settings import WebSettings
from fake_detector import FakeDetector, result
from flask.testing import FlaskClient
from PIL import Image
from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"
UNDER_WAY = ("deepfake_analyses_running ", "deepfake_analyses_waiting ")


def _settings(folder: Path) -> WebSettings:
    return WebSettings(upload_folder=str(folder), max_bytes=1_000_000, max_analyses=1, max_waiting=1, max_wait_s=0.2)


@pytest.fixture
def settings(tmp_path) -> WebSettings:
    return _settings(tmp_path)


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


@contextmanager
def _answering(settings: WebSettings):
    changed = replace(settings, port=0, triton="127.0.0.1:1")
    listener = gunicorn_app.bind(changed)
    address = listener.getsockname()
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
            stack.enter_context(gunicorn_app.running(listener, changed, "fake_detector:application()"))
        yield address


@pytest.fixture
def serve(settings):
    """A real gunicorn with the fake detector, for the test alone; gives "127.0.0.1", port."""
    return lambda **changes: _answering(replace(settings, **changes))


@pytest.fixture(scope="session")
def _shared(tmp_path_factory):
    with _answering(_settings(tmp_path_factory.mktemp("uploads"))) as address:
        yield address


@pytest.fixture
def answering(_shared, eventually):
    """The same for all tests that let it live and have no settings of their own; each waits until it is idle again.

    Before `new_page` among a test's arguments: pages are closed first.
    """

    def is_idle() -> bool:
        with urllib.request.urlopen("http://{}:{}/metrics".format(*_shared), timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        return [float(line.split()[1]) for line in lines if line.startswith(UNDER_WAY)] == [0, 0]

    yield _shared
    eventually(is_idle)


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
    command = [
        sys.executable,
        "-m",
        "deepfake_client.cli.dispatch",
        "serve",
        "--port",
        "0",
        "--repository",
        str(repository),
    ]
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
def serving():
    """`deepfake serve` on another repository: serving(repository, folder for its log) is a context manager."""
    return _serving


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
def browser():
    with sync_playwright() as playwright:
        # Chromium's own sandbox needs user namespaces, which containers often lack.
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(browser):
    """Opens pages; fails afterwards if one complained: of its content policy, of an error in a script."""
    complaints, contexts = [], []

    def open_page(address, **options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    # What the tests provoke: a refusal, or a server that is gone.
    expected = ("Failed to load resource", "ERR_")
    assert [each for each in complaints if not any(part in each for part in expected)] == []


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


@pytest.fixture(scope="session")
def clip_for_browsers(face_clip, tmp_path_factory) -> Path:
    """The moving face as VP9 in WebM, which every Chromium plays."""
    path = tmp_path_factory.mktemp("media") / "clip.webm"
    with av.open(face_clip) as source, av.open(path, "w") as target:
        stream = target.add_stream("libvpx-vp9", 10, width=640, height=480, options={"cpu-used": "8"})
        for frame in source.decode(video=0):
            target.mux(stream.encode(frame.reformat(format="yuv420p")))
        target.mux(stream.encode(None))
    return path
