"""What goes through the server comes out right."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tritonclient.grpc as triton
from deepfake_serving import kserve
from deepfake_serving.server import TritonServer
from onnx import TensorProto, helper
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

SIXTH = helper.make_tensor("sixth", TensorProto.FLOAT, [1], [1 / 6])


@pytest.fixture(scope="module")
def server(new_repository):
    repository = new_repository()
    repository.add("floats", width=1000)
    repository.add("bytes", type="UINT8", width=150_528)
    repository.add("integers", type="INT64", width=7)
    repository.add("single", batch=0)
    nodes = [helper.make_node("Add", ["X", "X"], ["Y"]), helper.make_node("Mul", ["X", "sixth"], ["Z"])]
    merging = "instance_group [{ count: 1 }]\ndynamic_batching { max_queue_delay_microseconds: 300000 }"
    repository.add("two_outputs", nodes, outputs=("Y", "Z"), constants=[SIXTH], extra=merging)
    repository.add("merging", [nodes[0]], extra=merging)
    table = helper.make_tensor("table", TensorProto.INT64, [3], [5, 6, 7])
    repository.add("looks_up", [helper.make_node("Gather", ["table", "X"], ["Y"])], type="INT64", constants=[table])
    with TritonServer(repository.folder) as server:
        yield server


def infer(server: TritonServer, model: str, array: np.ndarray, outputs: list[str] | None = None):
    with triton.InferenceServerClient(server.grpc) as client:
        tensor = triton.InferInput("X", array.shape, np_to_triton_dtype(array.dtype))
        tensor.set_data_from_numpy(array)
        asked = None if outputs is None else [triton.InferRequestedOutput(each) for each in outputs]
        return client.infer(model, [tensor], outputs=asked, client_timeout=20)


@pytest.mark.parametrize(
    ("model", "type", "width"),
    [("floats", np.float32, 1000), ("bytes", np.uint8, 150_528), ("integers", np.int64, 7)],
)
def test_a_ramp_arrives_as_it_was_sent(server, model, type, width):
    ramp = (np.arange(8 * width) % 251).astype(type).reshape(8, width)
    np.testing.assert_array_equal(infer(server, model, ramp).as_numpy("Y"), ramp)


def test_a_model_without_a_batch_axis_answers(server):
    ramp = np.arange(4, dtype=np.float32)
    np.testing.assert_array_equal(infer(server, "single", ramp).as_numpy("Y"), ramp)


def test_every_output_is_computed(server):
    result = infer(server, "two_outputs", np.full((2, 4), 6, np.float32))
    np.testing.assert_allclose(result.as_numpy("Y"), 12)
    np.testing.assert_allclose(result.as_numpy("Z"), 1)


def test_only_the_outputs_that_were_asked_for_come_back(server):
    result = infer(server, "two_outputs", np.full((2, 4), 6, np.float32), ["Z"])
    assert [each.name for each in result.get_response().outputs] == ["Z"]


def test_requests_that_are_run_as_one_batch_get_their_own_rows(server):
    requests = [np.full((rows, 4), 10 * number, np.float32) for number, rows in enumerate((1, 2, 3, 2))]
    with ThreadPoolExecutor(len(requests)) as pool:
        answers = list(pool.map(lambda each: infer(server, "merging", each).as_numpy("Y"), requests))
    for request, answer in zip(requests, answers, strict=True):
        np.testing.assert_array_equal(answer, 2 * request)
    statistics = kserve.read(server.http, "/v2/models/merging/stats")["model_stats"][0]
    assert statistics["execution_count"] < len(requests), "nothing was merged, so nothing was tested"


def test_requests_of_one_batch_get_the_outputs_that_each_asked_for(server):
    asked = [["Y"], ["Z"], ["Y", "Z"]]
    array = np.full((2, 4), 6, np.float32)
    with ThreadPoolExecutor(len(asked)) as pool:
        answers = list(pool.map(lambda names: infer(server, "two_outputs", array, names), asked))
    found = [
        {each.name: answer.as_numpy(each.name)[0, 0] for each in answer.get_response().outputs} for answer in answers
    ]
    assert found == [{"Y": 12}, {"Z": 1}, {"Y": 12, "Z": 1}]


def test_a_run_that_fails_is_an_error_and_the_model_lives_on(server):
    with pytest.raises(InferenceServerException, match="the model failed"):
        infer(server, "looks_up", np.full((1, 4), 1000))
    assert infer(server, "looks_up", np.full((1, 4), 2)).as_numpy("Y").tolist() == [[7, 7, 7, 7]]


def test_the_metrics_say_where_each_session_runs(server):
    assert server.sessions() == {
        each["name"]: "CPUExecutionProvider" for each in kserve.read(server.http, "/v2/repository/index", body=b"{}")
    }


def test_models_can_not_be_loaded_or_unloaded_from_outside(server):
    status, answer = kserve.call(server.http, "/v2/repository/models/floats/unload", body=b"{}")
    assert status != 200
    assert "not allowed" in json.loads(answer)["error"]
    assert infer(server, "floats", np.zeros((1, 1000), np.float32)).as_numpy("Y") is not None
