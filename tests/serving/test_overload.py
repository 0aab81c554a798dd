"""Far more clients than an ensemble can serve: each is answered or turned away, and the server lives on."""

import threading
import time
from collections import Counter

import numpy as np
import tritonclient.grpc as triton
from deepfake_serving import kserve
from deepfake_serving.server import TritonServer
from onnx import helper
from tritonclient.utils import InferenceServerException

CLIENTS = 32
SECONDS = 8
QUEUE = "dynamic_batching { default_queue_policy { timeout_action: REJECT default_timeout_microseconds: 200000 } }"
ENSEMBLE = """
max_batch_size: 8
input [{ name: "X" data_type: TYPE_FP32 dims: [4] }]
output [{ name: "SUM" data_type: TYPE_FP32 dims: [4] }]
ensemble_scheduling { step [
  { model_name: "left" model_version: -1 input_map { key: "X" value: "X" } output_map { key: "Y" value: "L" } },
  { model_name: "right" model_version: -1 input_map { key: "X" value: "X" } output_map { key: "Y" value: "R" } },
  { model_name: "join" model_version: -1 input_map { key: "A" value: "L" } input_map { key: "B" value: "R" }
    output_map { key: "Y" value: "SUM" } }
] }
"""


def ask_until(deadline: float, address: str, seen: Counter) -> None:
    """Sends full batches one after another, and counts what comes back."""
    batch = np.ones((8, 4), np.float32)
    with triton.InferenceServerClient(address) as client:
        while time.monotonic() < deadline:
            tensor = triton.InferInput("X", batch.shape, "FP32")
            tensor.set_data_from_numpy(batch)
            try:
                right = (client.infer("ensemble", [tensor]).as_numpy("SUM") == 2).all()
                seen["OK" if right else "wrong"] += 1
            except InferenceServerException as error:
                seen[error.status()] += 1


def test_overload_is_turned_away_and_survived(repository, slow_model):
    nodes, constants = slow_model
    repository.add("left", nodes, constants=constants, extra=QUEUE)
    repository.add("right", nodes, constants=constants, extra=QUEUE)
    repository.add("join", [helper.make_node("Add", ["A", "B"], ["Y"])], inputs=("A", "B"), extra=QUEUE)
    repository.add_ensemble("ensemble", ENSEMBLE)
    seen: Counter = Counter()
    with TritonServer(repository.folder) as server:
        process, deadline = server.pid, time.monotonic() + SECONDS
        clients = [threading.Thread(target=ask_until, args=(deadline, server.grpc, seen)) for _ in range(CLIENTS)]
        for each in clients:
            each.start()
        for each in clients:
            each.join(timeout=SECONDS + 30)
        assert server.is_running()
        assert server.pid == process
        assert kserve.probe(server.http, "ensemble", 5)[0] == 200
    assert set(seen) == {"OK", "StatusCode.UNAVAILABLE"}, seen
