"""A detector that answers at once, for the mechanics of HTTP and of pages."""

import threading
import time
from dataclasses import replace
from pathlib import Path

from deepfake_client.media.facts import NO_CREDENTIALS, MediaInfo, Provenance
from deepfake_client.results import (
    Accepted,
    FaceResult,
    FrameResult,
    Model,
    Progress,
    Result,
    Timing,
    TrackResult,
)
from deepfake_contract.errors import DeepfakeError
from deepfake_web.app import create_app
from deepfake_web.settings import WebSettings

TITLES = {"first": "The first network", "second": "The second network"}
MODEL = Model("lite", "1.0.0", "sha256:00", TITLES, {"first": "resnet18", "second": "swin_tiny"}, 0.04)
MEDIA = MediaInfo("00", 3, "mp4", "h264", 64, 48, 1.0, 30.0)
NETWORKS = {"first": 0.9, "second": 0.8}
CONTRIBUTIONS = {"first": 1.0, "second": 0.5, "intercept": -0.1}
FACE = FaceResult(1, (1.0, 2.0, 3.0, 4.0), (0.0, 0.0, 8.0, 8.0), 0.9, 0.9, NETWORKS)
FRAME = FrameResult(0, 0.0, 0.9, [FACE], 0)
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

    def __init__(
        self, error: Exception | None = None, fail_at: int = 0, answer: Result | None = None, frame: FrameResult = FRAME
    ):
        self.error, self.fail_at, self.frame = error, fail_at, frame
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
        events = [Accepted(self.answer.file_type, MEDIA, 1), self.frame, Progress(1, 1, 1, 1), self.answer]
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
            yield Progress(0, 1, 0, 0)
            time.sleep(0.02)

    def readiness(self):
        if isinstance(self.error, DeepfakeError):
            raise self.error
        return {"deepfake_ensemble": True}


def application():
    """What gunicorn serves in these tests."""
    return create_app(WebSettings.from_environment(), FakeDetector())  # type: ignore[arg-type]
