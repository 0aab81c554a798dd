"""Where models run, with the real CUDA build of ONNX Runtime and no GPU: never silently elsewhere."""

import json
import subprocess

import pytest
from deepfake_contract.errors import ServingError
from deepfake_serving import kserve
from deepfake_serving.launch import BACKEND
from deepfake_serving.server import TritonServer

OPEN = """
import json, sys
sys.path.insert(0, sys.argv[1])
from options import read_options, Refused
from session import open_session
required = sys.argv[3] == "required"
options = read_options({"input": [], "output": [], "optimization": json.loads(sys.argv[4])})
try:
    session, reason = open_session(sys.argv[2], options, gpu=0, required=required)
    print(json.dumps({"providers": session.get_providers(), "reason": reason}))
except Refused as refusal:
    print(json.dumps({"refused": str(refusal)}))
"""
TENSORRT = {"execution_accelerators": {"gpu_execution_accelerator": [{"name": "tensorrt"}]}}


@pytest.fixture
def open_on_gpu(gpu_environment, repository):
    """What opening a session on GPU 0 comes to, in the environment with the CUDA build."""
    repository.add("model")
    model = repository.folder / "model" / "1" / "model.onnx"

    def open(need: str, optimization: dict | None = None) -> dict:
        command = [gpu_environment / "bin/python3", "-c", OPEN, BACKEND, model, need, json.dumps(optimization or {})]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])

    return open


def test_the_cuda_build_lists_cuda_without_having_it(gpu_environment):
    code = "import onnxruntime; print(onnxruntime.get_available_providers())"
    listing = subprocess.run([gpu_environment / "bin/python3", "-c", code], capture_output=True, text=True, check=True)
    assert "CUDAExecutionProvider" in listing.stdout


def test_a_session_that_must_be_on_a_gpu_is_refused_by_what_it_reports(open_on_gpu):
    assert "KIND_GPU can't be honoured" in open_on_gpu("required")["refused"]
    assert "CUDAExecutionProvider" in open_on_gpu("required")["refused"]


def test_a_session_that_may_be_on_a_gpu_falls_back_with_the_reason(open_on_gpu):
    opened = open_on_gpu("preferred")
    assert opened["providers"] == ["CPUExecutionProvider"]
    assert "CUDAExecutionProvider" in opened["reason"]


def test_tensorrt_that_is_asked_for_and_missing_is_refused(open_on_gpu):
    assert "TensorrtExecutionProvider" in open_on_gpu("required", TENSORRT)["refused"]


def test_kind_gpu_without_a_gpu_does_not_load_and_says_why(repository, gpu_environment):
    repository.add("model", extra="instance_group [{ kind: KIND_GPU }]")
    with (
        pytest.raises(ServingError, match="KIND_GPU but no GPUs are available"),
        TritonServer(repository.folder, environment=gpu_environment),
    ):
        pass


@pytest.mark.parametrize("group", ["instance_group [{ kind: KIND_AUTO }]", ""], ids=["KIND_AUTO", "none"])
def test_kind_auto_without_a_gpu_serves_on_the_cpu_and_says_so(repository, gpu_environment, group):
    repository.add("model", extra=group)
    with TritonServer(repository.folder, environment=gpu_environment) as server:
        assert server.sessions() == {"model": "CPUExecutionProvider"}
        assert "'model' runs on CPUExecutionProvider" in server.log_text()
        assert kserve.probe(server.http, "model", 5)[0] == 200


def test_a_server_that_must_be_on_a_gpu_does_not_start_on_the_cpu(repository, gpu_environment):
    repository.add("model", extra="instance_group [{ kind: KIND_AUTO }]")
    with (
        pytest.raises(ServingError, match=r"A GPU was asked for, .*: model on CPUExecutionProvider"),
        TritonServer(repository.folder, environment=gpu_environment, device="gpu"),
    ):
        pass
