"""Watches a server, and starts it again when it, or one of its model processes, dies or stops answering.

This server never starts a model process again that died, and still says that it is ready: so processes are watched
here, and models are tried. A model that rejects a request that waited too long in its queue is busy, not dead.
"""

import logging
import os
import select
import time
from contextlib import ExitStack
from threading import Thread

from deepfake_contract.errors import ServingError

from deepfake_serving import kserve
from deepfake_serving.server import TritonServer

INTERVAL_S = 10.0  # between two probes of the models
PROBE_DEADLINE_S = 120.0  # above the time-out of the queue, 60 s by default, and a batch of the slowest model
MOST_RESTARTS = 5  # one after the other
SETTLED_S = 60.0  # a server that lived this long resets their count
BUSY = 503  # what a rejected request is answered with

log = logging.getLogger(__name__)


class Supervisor:
    """A thread that keeps a started TritonServer alive; a context manager.

    Every `interval_s` it probes each model that clients call with a small request, unless others were answered
    meanwhile; no answer within `probe_deadline_s` counts as dead. After `most_restarts` restarts one after the other
    it gives up: `failure` is the reason, for an operator, None until then. `restarts` counts all.
    """

    def __init__(
        self,
        server: TritonServer,
        *,
        interval_s: float = INTERVAL_S,
        probe_deadline_s: float = PROBE_DEADLINE_S,
        most_restarts: int = MOST_RESTARTS,
    ):
        self.failure: str | None = None
        self.restarts = 0
        self._server = server
        self._interval_s = interval_s
        self._probe_deadline_s = probe_deadline_s
        self._limit = most_restarts
        self._consecutive = 0
        self._stop = os.eventfd(0, os.EFD_CLOEXEC)
        self._stopping = False
        self._thread = Thread(target=self._run, name="triton-supervisor", daemon=True)

    def __enter__(self) -> "Supervisor":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begins to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the watch within a moment. Stop the server after it: that ends a restart that is under way, too."""
        self._stopping = True
        os.eventfd_write(self._stop, 1)
        self._thread.join(timeout=1)

    def _run(self) -> None:
        while not self._stopping:
            started = time.monotonic()
            fault = self._watch()
            if self._stopping:
                return
            if time.monotonic() - started > SETTLED_S:
                self._consecutive = 0
            if not self._restart(fault):
                return

    def _watch(self) -> str:
        """Returns when something is wrong, with a word on what."""
        with ExitStack() as stack:
            processes = {}
            for process in self._server.processes_at_start:
                try:
                    processes[descriptor := os.pidfd_open(process)] = process
                except ProcessLookupError:
                    return f"process {process} ended"
                stack.callback(os.close, descriptor)
            if not processes:
                return "the server ended"
            answered = self._answered()
            while True:
                events = _wait([self._stop, *processes], self._interval_s)
                if self._stop in events:
                    return "stopped"
                if events:
                    return f"process {processes[events[0]]} ended"
                answered, before = self._answered(), answered
                fault = self._probe_models({model for model in answered if answered[model] > before.get(model, 0)})
                if fault:
                    return fault

    def _answered(self) -> dict[str, int]:
        """Requests that each model has answered so far; empty where the server does not say."""
        try:
            statistics = kserve.read(self._server.http, "/v2/models/stats")["model_stats"]
        except OSError:
            return {}
        return {each["name"]: int(each["inference_stats"]["success"]["count"]) for each in statistics}

    def _probe_models(self, alive: set[str]) -> str:
        """What is wrong with the models that are not known to be alive; "" where nothing is."""
        try:
            for model in kserve.entry_models(self._server.http):
                if model in alive:
                    continue
                status, message = kserve.probe(self._server.http, model, self._probe_deadline_s)
                if status not in (200, BUSY):
                    return f"{model} answered {status}: {message}"
            return "" if kserve.is_ready(self._server.http) else "the server is not ready"
        except OSError as cause:
            return f"the server did not answer ({cause or type(cause).__name__})"

    def _restart(self, fault: str) -> bool:
        """Restarts the server, several times if need be; False where it gave up or was stopped."""
        while self._consecutive < self._limit and not self._stopping:
            log.warning("tritonserver is restarted: %s", fault)
            _wait([self._stop], self._consecutive)  # longer each time
            self._consecutive += 1
            self.restarts += 1
            try:
                if not self._stopping:
                    self._server.restart()
                    return True
            except ServingError as error:
                fault = str(error)
        if not self._stopping:
            self.failure = f"tritonserver failed {self._limit} times, one after the other; the last time: {fault}"
            log.error(self.failure)
        return False


def _wait(descriptors: list[int], timeout_s: float) -> list[int]:
    """The descriptors that have something to say: a process's when it has ended."""
    poll = select.poll()
    for each in descriptors:
        poll.register(each, select.POLLIN)
    return [descriptor for descriptor, _ in poll.poll(timeout_s * 1000)]
