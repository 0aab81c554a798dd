"""What is counted and timed, in Prometheus' form."""

from deepfake_client.results import Result
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from deepfake_web.admission import Admission

SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900)  # bounds of the histograms


class Metrics:
    """The metrics of one application, in a registry of its own."""

    def __init__(self, admission: Admission):
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "deepfake_requests", "Requests answered", ["endpoint", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "deepfake_request_seconds",
            "From a request's head to the last byte of its answer",
            ["endpoint"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._verdicts = Counter(
            "deepfake_verdicts", "Results given", ["file_type", "label", "certainty"], registry=self.registry
        )
        self._stages = Histogram(
            "deepfake_stage_seconds",
            "Time of an analysis by stage; stages overlap",
            ["stage"],
            buckets=SECONDS,
            registry=self.registry,
        )
        running = Gauge("deepfake_analyses_running", "Files being analysed", registry=self.registry)
        running.set_function(lambda: admission.running)
        waiting = Gauge("deepfake_analyses_waiting", "Files uploaded or waiting for a turn", registry=self.registry)
        waiting.set_function(lambda: admission.waiting)

    def count_request(self, endpoint: str, status: int, seconds: float) -> None:
        self._requests.labels(endpoint, str(status)).inc()
        self._seconds.labels(endpoint).observe(seconds)

    def count_result(self, result: Result) -> None:
        self._verdicts.labels(result.file_type, result.label, result.certainty or "none").inc()
        for stage, seconds in vars(result.timing_s).items():
            self._stages.labels(stage).observe(seconds)
