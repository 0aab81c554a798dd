"""A configuration is honoured to the letter, or the load fails and names the key."""

import re

import pytest
from deepfake_contract.errors import ServingError
from deepfake_serving.server import TritonServer


def parameter(key: str, value: str) -> str:
    return f'parameters {{ key: "{key}" value: {{ string_value: "{value}" }} }}'


def accelerator(where: str, name: str, key: str = "", value: str = "") -> str:
    parameters = f'parameters {{ key: "{key}" value: "{value}" }}' if key else ""
    entry = f'{where}_execution_accelerator: [{{ name: "{name}" {parameters} }}]'
    return f"optimization {{ execution_accelerators {{ {entry} }} }}"


REFUSED = {
    "unknown": (parameter("intra_op_threads", "1"), "parameter 'intra_op_threads' is not known here"),
    "threads_in_words": (parameter("intra_op_thread_count", "two"), "intra_op_thread_count must be a number"),
    "threads_below_zero": (parameter("inter_op_thread_count", "-1"), "inter_op_thread_count must be a number"),
    "mode": (parameter("execution_mode", "2"), "execution_mode must be from 0 to 1"),
    "arena": (parameter("enable_mem_arena", "yes"), "enable_mem_arena must be one of"),
    "pattern": (parameter("enable_mem_pattern", "on"), "enable_mem_pattern must be one of"),
    "search": (parameter("cudnn_conv_algo_search", "3"), "cudnn_conv_algo_search must be from 0 to 2"),
    "extend": (parameter("arena_extend_strategy", "2"), "arena_extend_strategy must be from 0 to 1"),
    "limit": (parameter("gpu_mem_limit", "1G"), "gpu_mem_limit must be a number"),
    "shared": (parameter("share_session_between_instances", "true"), "share_session_between_instances"),
    "level": ("optimization { graph { level: 3 } }", "optimization.graph.level must be one of"),
    "openvino": (accelerator("cpu", "openvino"), "cpu_execution_accelerator 'openvino'"),
    "gpu_unknown": (accelerator("gpu", "migraphx"), "gpu_execution_accelerator 'migraphx' is not known"),
    "gpu_device": (accelerator("gpu", "cuda", "device_id", "1"), "'device_id' follows from the instance group"),
    "precision": (accelerator("gpu", "tensorrt", "precision_mode", "FP8"), "precision_mode must be one of"),
    "tensorrt_key": (accelerator("gpu", "tensorrt", "workspace", "1"), "parameter 'workspace' is not known"),
    "model_kind": ("instance_group [{ kind: KIND_MODEL }]", "KIND_MODEL is not supported"),
    "decoupled": ("model_transaction_policy { decoupled: true }", "decoupled is not supported"),
    "sequence": ("sequence_batching { }", "sequence_batching is not supported"),
    "cuda_graphs": ("optimization { cuda { graphs: true } }", "optimization.cuda is not supported"),
}
MISMATCHED = {
    "type": ("TYPE_FP32", "TYPE_FP16", "tensor 'X' is TYPE_FP16 in the configuration"),
    "width": ("dims: [4]", "dims: [5]", "tensor 'X' is [-1, 5] in the configuration, [-1, 4] in the model"),
    "name": ('name: "X"', 'name: "INPUT"', "lacks the model's input 'X'"),
    "output": ('name: "Y"', 'name: "OUTPUT"', "the model has no tensor 'OUTPUT'"),
}


@pytest.fixture(scope="module")
def reasons(new_repository) -> dict[str, str]:
    """What a start says of each bad model: they all are in one repository."""
    repository = new_repository()
    for name, (extra, _) in REFUSED.items():
        repository.add(name, extra=extra)
    for name, (right, wrong, _) in MISMATCHED.items():
        repository.add(f"mismatched_{name}")
        file = repository.folder / f"mismatched_{name}" / "config.pbtxt"
        file.write_text(file.read_text().replace(right, wrong))
    with pytest.raises(ServingError) as error, TritonServer(repository.folder):
        pass
    return dict(re.findall(r"failed to load '(\w+)' version 1: (.*)", str(error.value)))


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_not_be_honoured_fails_the_load_and_is_named(reasons, name):
    assert REFUSED[name][1] in reasons[name]


@pytest.mark.parametrize("name", MISMATCHED)
def test_tensors_that_are_not_the_models_fail_the_load(reasons, name):
    assert MISMATCHED[name][2] in reasons[f"mismatched_{name}"]


def test_a_failed_start_tells_the_operator_no_traceback(reasons):
    assert not [reason for reason in reasons.values() if "At:" in reason or "model.py" in reason]


@pytest.fixture
def backend(monkeypatch):
    """The backend's modules, as a model process imports them."""
    from deepfake_serving.launch import BACKEND

    monkeypatch.syspath_prepend(BACKEND)
    import options
    import session

    return options, session


def configuration(parameters: dict[str, str], level: int = 0, accelerators: dict | None = None) -> dict:
    return {
        "input": [],
        "output": [],
        "parameters": {key: {"string_value": value} for key, value in parameters.items()},
        "optimization": {"graph": {"level": level}, "execution_accelerators": accelerators or {}},
    }


@pytest.fixture
def opened(backend, repository):
    """The options of the session that is opened for parameters and a level."""
    repository.add("model")
    options, session = backend

    def open(parameters: dict[str, str], level: int = 0):
        read = options.read_options(configuration(parameters, level))
        path = repository.folder / "model" / "1" / "model.onnx"
        return session.open_session(path, read, gpu=None, required=False)[0].get_session_options()

    return open


def test_threads_and_mode_reach_the_session(opened):
    options = opened({"intra_op_thread_count": "3", "inter_op_thread_count": "2", "execution_mode": "1"})
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (3, 2)
    assert options.execution_mode.name == "ORT_PARALLEL"


def test_memory_switches_reach_the_session(opened):
    options = opened({"enable_mem_arena": "0", "enable_mem_pattern": "false"})
    assert (options.enable_cpu_mem_arena, options.enable_mem_pattern) == (False, False)


def test_session_entries_reach_the_session(opened):
    key = "session.use_device_allocator_for_initializers"
    assert opened({key: "1"}).get_session_config_entry(key) == "1"


def test_waiting_threads_leave_the_cores_to_other_models(opened):
    options = opened({})
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert options.get_session_config_entry("session.inter_op.allow_spinning") == "0"


@pytest.mark.parametrize(
    ("level", "name"),
    [(0, "ORT_ENABLE_ALL"), (-1, "ORT_ENABLE_BASIC"), (1, "ORT_ENABLE_EXTENDED"), (2, "ORT_DISABLE_ALL")],
)
def test_the_graph_level_means_what_it_means_to_the_native_backend(opened, level, name):
    assert opened({}, level).graph_optimization_level.name == name


def test_arena_shrinkage_is_said_at_each_run(backend):
    options, session = backend
    key = "memory.enable_memory_arena_shrinkage"
    run = session.run_options(options.read_options(configuration({key: "cpu:0"})))
    assert run.get_run_config_entry(key) == "cpu:0"


def test_gpu_accelerators_become_providers_best_first(backend):
    options, _ = backend
    accelerators = {
        "gpu_execution_accelerator": [
            {"name": "tensorrt", "parameters": {"precision_mode": "FP16", "max_workspace_size_bytes": "7"}},
            {"name": "cuda", "parameters": {"cudnn_conv_use_max_workspace": "0"}},
        ]
    }
    read = options.read_options(configuration({"cudnn_conv_algo_search": "1"}, accelerators=accelerators))
    assert read.gpu == [
        ("TensorrtExecutionProvider", {"trt_fp16_enable": "1", "trt_max_workspace_size": "7"}),
        ("CUDAExecutionProvider", {"cudnn_conv_algo_search": "HEURISTIC", "cudnn_conv_use_max_workspace": "0"}),
    ]
