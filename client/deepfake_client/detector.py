"""The library's face: a Detector that analyses files through a Triton."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import cast

from deepfake_contract.errors import DeepfakeError
from deepfake_contract.policy import Policy

from deepfake_client.analysis.pipeline import analysis
from deepfake_client.analysis.served_bundle import ServedBundle
from deepfake_client.analysis.triton import Triton
from deepfake_client.results import Events, Model, Result
from deepfake_client.settings import ClientSettings


class Detector:
    """Analyses pictures and clips through the Triton at `triton` ("host:port" of its gRPC).

    >>> with Detector("127.0.0.1:8001") as detector:
    ...     result = detector.analyze("clip.mp4")

    Several threads may share one; each analysis has a connection of its own, made when it starts, so a Detector may
    be made before a fork. `close` (or leaving the `with`) ends the analyses under way.
    """

    def __init__(self, triton: str, settings: ClientSettings | None = None):
        self.address = triton
        self.settings = settings or ClientSettings.from_environment()
        self._open: set[Triton] = set()
        self._lock = threading.Lock()

    def analyze(self, path: str | PathLike[str], frames: int | None = None, heatmaps: bool = False) -> Result:
        """The Result for one file; raises what `events` raises."""
        for event in self.events(path, frames, heatmaps):
            last = event
        return cast(Result, last)

    def events(self, path: str | PathLike[str], frames: int | None = None, heatmaps: bool = False) -> Events:
        """An analysis as it goes on: Accepted first; FrameResult and Progress; the Result last.

        `frames`: how many to analyse, instead of the policy's; `heatmaps` adds maps and thumbnails. Raises UsageError,
        TooLargeError, UnsupportedMediaError, DamagedMediaError for the file; BusyError, UnavailableError,
        DeadlineError for the server. Closing the iterator stops the work.
        """
        with self._connection() as connection:
            yield from analysis(Path(path), connection, self.settings, frames, heatmaps)

    @property
    def model(self) -> Model:
        """The served model; UnavailableError where there is none."""
        return self._bundle().model

    @property
    def policy(self) -> Policy:
        """The served model's policy; UnavailableError where there is none."""
        return self._bundle().policy

    def ready(self) -> bool:
        """Whether Triton answers and serves every model that an analysis needs."""
        try:
            return all(self.readiness().values())
        except DeepfakeError:
            return False

    def readiness(self) -> dict[str, bool]:
        """Each model that an analysis needs, and whether it is ready; UnavailableError where no Triton answers."""
        with self._connection() as connection:
            return connection.readiness()

    def close(self) -> None:
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            connection.close()

    def __enter__(self) -> "Detector":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _bundle(self) -> ServedBundle:
        with self._connection() as connection:
            return connection.bundle()

    @contextmanager
    def _connection(self) -> Iterator[Triton]:
        until = time.monotonic() + self.settings.analysis_deadline_s
        connection = Triton(self.address, self.settings.request_deadline_s, until)
        with self._lock:
            self._open.add(connection)
        try:
            yield connection
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()
