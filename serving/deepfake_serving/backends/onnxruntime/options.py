"""Reads a Triton model configuration in ONNX Runtime's terms, and refuses by name what it can't honour.

The keys are those of NVIDIA's C++ ONNX Runtime backend (triton-inference-server/onnxruntime_backend, README), so
that one repository means the same under both.
"""

from dataclasses import dataclass, field
from typing import Any

CPU, CUDA, TENSORRT = "CPUExecutionProvider", "CUDAExecutionProvider", "TensorrtExecutionProvider"
LEVELS = {0: "ORT_ENABLE_ALL", -1: "ORT_ENABLE_BASIC", 1: "ORT_ENABLE_EXTENDED", 2: "ORT_DISABLE_ALL"}
SEARCHES = ("EXHAUSTIVE", "HEURISTIC", "DEFAULT")
ARENAS = ("kNextPowerOfTwo", "kSameAsRequested")
SWITCHES = {"1": True, "true": True, "0": False, "false": False}
TENSORRT_NAMES = {
    "max_workspace_size_bytes": "trt_max_workspace_size",
    "int8_calibration_table_name": "trt_int8_calibration_table_name",
    "int8_use_native_calibration_table": "trt_int8_use_native_calibration_table",
}
PRECISIONS = {
    "FP32": {},
    "FP16": {"trt_fp16_enable": "1"},
    "BF16": {"trt_bf16_enable": "1"},
    "INT8": {"trt_int8_enable": "1"},
}
OURS = {"device_id", "user_compute_stream", "has_user_compute_stream"}  # follow from the instance, not from options


class Refused(Exception):
    """A configuration that can't be honoured; the sentence names the key."""


@dataclass
class Options:
    """How a session is to be made. `gpu` lists (provider, options), best first, for an instance on a GPU."""

    level: str = LEVELS[0]
    parallel: bool = False
    intra_op_threads: int = 0
    inter_op_threads: int = 0
    memory_arena: bool = True
    memory_pattern: bool = True
    session_entries: dict[str, str] = field(default_factory=dict)
    run_entries: dict[str, str] = field(default_factory=dict)
    gpu: list[tuple[str, dict[str, str]]] = field(default_factory=list)


def read_options(configuration: dict[str, Any]) -> Options:
    """The options in a model configuration (Triton's JSON form); Refused names the first key that is not honoured."""
    _refuse_unsupported(configuration)
    options = Options()
    cuda: dict[str, str] = {}
    for key, entry in configuration.get("parameters", {}).items():
        _read_parameter(key, entry.get("string_value", ""), options, cuda)
    optimization = configuration.get("optimization", {})
    level = int(optimization.get("graph", {}).get("level", 0))
    if level not in LEVELS:
        raise Refused(f"optimization.graph.level must be one of {sorted(LEVELS)}, but is {level}")
    options.level = LEVELS[level]
    accelerators = optimization.get("execution_accelerators", {})
    for each in accelerators.get("cpu_execution_accelerator", []):
        raise Refused(f"cpu_execution_accelerator {each['name']!r} is not in this ONNX Runtime")
    tensorrt = _read_gpu_accelerators(accelerators.get("gpu_execution_accelerator", []), cuda)
    options.gpu = [*tensorrt, (CUDA, cuda)]
    return options


def _read_parameter(key: str, value: str, options: Options, cuda: dict[str, str]) -> None:
    match key:
        case "intra_op_thread_count":
            options.intra_op_threads = _count(key, value)
        case "inter_op_thread_count":
            options.inter_op_threads = _count(key, value)
        case "execution_mode":
            options.parallel = bool(_choice(key, value, (False, True)))
        case "enable_mem_arena":
            options.memory_arena = _switch(key, value)
        case "enable_mem_pattern":
            options.memory_pattern = _switch(key, value)
        case "session.use_device_allocator_for_initializers":
            options.session_entries[key] = str(int(_switch(key, value)))
        case "memory.enable_memory_arena_shrinkage":
            options.run_entries[key] = value
        case "cudnn_conv_algo_search":
            cuda[key] = _choice(key, value, SEARCHES)
        case "arena_extend_strategy":
            cuda[key] = _choice(key, value, ARENAS)
        case "gpu_mem_limit":
            cuda[key] = str(_count(key, value))
        case "do_copy_in_default_stream":
            cuda[key] = str(int(_switch(key, value)))
        case "share_session_between_instances":
            if _switch(key, value):
                raise Refused(f"{key}: each instance is a process of its own here and has its own session")
        case _:
            raise Refused(f"parameter {key!r} is not known here")


def _read_gpu_accelerators(accelerators: list[dict], cuda: dict[str, str]) -> list[tuple[str, dict[str, str]]]:
    """Adds the options for CUDA to `cuda`, and gives TensorRT with its own where it is asked for."""
    tensorrt = []
    for each in accelerators:
        parameters = each.get("parameters", {})
        for key in OURS & parameters.keys():
            raise Refused(f"gpu_execution_accelerator {each['name']!r}: {key!r} follows from the instance group")
        if each["name"] == "cuda":
            cuda |= parameters
        elif each["name"] == "tensorrt":
            tensorrt.append((TENSORRT, _tensorrt_options(parameters)))
        else:
            raise Refused(f"gpu_execution_accelerator {each['name']!r} is not known here")
    return tensorrt


def _tensorrt_options(parameters: dict[str, str]) -> dict[str, str]:
    options: dict[str, str] = {}
    for key, value in parameters.items():
        if key == "precision_mode":
            if value not in PRECISIONS:
                raise Refused(f"precision_mode must be one of {', '.join(PRECISIONS)}, but is {value!r}")
            options |= PRECISIONS[value]
        elif key in TENSORRT_NAMES or key.startswith("trt_"):
            options[TENSORRT_NAMES.get(key, key)] = value
        else:
            raise Refused(f"gpu_execution_accelerator 'tensorrt': parameter {key!r} is not known here")
    return options


def _refuse_unsupported(configuration: dict[str, Any]) -> None:
    for key in ("sequence_batching", "model_operations", "batch_input", "batch_output"):
        if configuration.get(key):
            raise Refused(f"{key} is not supported here")
    if configuration.get("model_transaction_policy", {}).get("decoupled"):
        raise Refused("model_transaction_policy.decoupled is not supported here")
    for tensor in [*configuration["input"], *configuration["output"]]:
        for key in ("reshape", "optional", "allow_ragged_batch", "is_shape_tensor", "is_non_linear_format_io"):
            if tensor.get(key):
                raise Refused(f"{key} (of tensor {tensor['name']!r}) is not supported here")
    if any(configuration.get("optimization", {}).get("cuda", {}).values()):
        raise Refused("optimization.cuda is not supported here")


def _count(key: str, value: str) -> int:
    if not value.isdecimal():
        raise Refused(f"{key} must be a number from 0 up, but is {value!r}")
    return int(value)


def _choice(key: str, value: str, meanings: tuple) -> Any:
    if not value.isdecimal() or int(value) >= len(meanings):
        raise Refused(f"{key} must be from 0 to {len(meanings) - 1}, but is {value!r}")
    return meanings[int(value)]


def _switch(key: str, value: str) -> bool:
    if value.lower() not in SWITCHES:
        raise Refused(f"{key} must be one of {', '.join(SWITCHES)}, but is {value!r}")
    return SWITCHES[value.lower()]
