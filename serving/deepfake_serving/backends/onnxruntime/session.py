"""Opens a model's ONNX Runtime session where it was asked to run, and never silently elsewhere."""

from pathlib import Path
from typing import Any

import onnxruntime
from options import CPU, Options, Refused

TYPES = {
    "tensor(bool)": "TYPE_BOOL",
    "tensor(uint8)": "TYPE_UINT8",
    "tensor(uint16)": "TYPE_UINT16",
    "tensor(uint32)": "TYPE_UINT32",
    "tensor(uint64)": "TYPE_UINT64",
    "tensor(int8)": "TYPE_INT8",
    "tensor(int16)": "TYPE_INT16",
    "tensor(int32)": "TYPE_INT32",
    "tensor(int64)": "TYPE_INT64",
    "tensor(float16)": "TYPE_FP16",
    "tensor(float)": "TYPE_FP32",
    "tensor(double)": "TYPE_FP64",
    "tensor(string)": "TYPE_STRING",
}


def open_session(
    path: Path, options: Options, gpu: int | None, required: bool
) -> tuple[onnxruntime.InferenceSession, str]:
    """The session of the model at `path`, and why it is not on the GPU that it was to try ("" where it is).

    `gpu` is the device's number, None for the CPU. With `required`, Refused is raised where the session does not
    report every provider that the options ask for; without, the model is then served on the CPU.
    """
    if gpu is None:
        return _open(path, options, [CPU]), ""
    wanted = [name for name, _ in options.gpu]
    missing = [name for name in wanted if name not in onnxruntime.get_available_providers()]
    if missing:
        reason = f"this ONNX Runtime ({onnxruntime.__version__}) was built without {', '.join(missing)}"
    else:
        try:
            session = _open(
                path, options, [(name, each | {"device_id": str(gpu)}) for name, each in options.gpu] + [CPU]
            )
            missing = [name for name in wanted if name not in session.get_providers()]
            reason = f"the session has {', '.join(session.get_providers())}, without {', '.join(missing)}"
        except Exception as cause:  # what a provider raises when it can't start is not told by its type
            missing, reason = wanted, str(cause).splitlines()[0]
        if not missing:
            return session, ""
    if required:
        raise Refused(f"KIND_GPU can't be honoured: {reason}")
    return _open(path, options, [CPU]), reason


def run_options(options: Options) -> onnxruntime.RunOptions:
    """What every run of a session is given."""
    run = onnxruntime.RunOptions()
    for key, value in options.run_entries.items():
        run.add_run_config_entry(key, value)
    return run


def check_tensors(session: onnxruntime.InferenceSession, configuration: dict[str, Any]) -> None:
    """Refused where the configuration's tensors are not the model's: names, types, shapes."""
    batch = [-1] if configuration["max_batch_size"] > 0 else []
    graphs = {each.name: each for each in [*session.get_inputs(), *session.get_outputs()]}
    asked = [*configuration["input"], *configuration["output"]]
    unused = {each.name for each in session.get_inputs()} - {each["name"] for each in asked}
    if unused:
        raise Refused(f"the configuration lacks the model's input {sorted(unused)[0]!r}")
    for each in asked:
        name = each["name"]
        if name not in graphs:
            raise Refused(f"the model has no tensor {name!r}; it has {', '.join(sorted(graphs))}")
        if TYPES.get(graphs[name].type) != each["data_type"]:
            raise Refused(
                f"tensor {name!r} is {each['data_type']} in the configuration, {graphs[name].type} in the model"
            )
        shape = [side if isinstance(side, int) else -1 for side in graphs[name].shape]
        dims = batch + [int(side) for side in each["dims"]]
        if len(shape) != len(dims) or any(side not in (-1, dim) for side, dim in zip(shape, dims, strict=True)):
            raise Refused(f"tensor {name!r} is {dims} in the configuration, {shape} in the model")


def _open(path: Path, options: Options, providers: list) -> onnxruntime.InferenceSession:
    settings = onnxruntime.SessionOptions()
    settings.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, options.level)
    mode = onnxruntime.ExecutionMode
    settings.execution_mode = mode.ORT_PARALLEL if options.parallel else mode.ORT_SEQUENTIAL
    settings.intra_op_num_threads = options.intra_op_threads
    settings.inter_op_num_threads = options.inter_op_threads
    settings.enable_cpu_mem_arena = options.memory_arena
    settings.enable_mem_pattern = options.memory_pattern
    # Threads that spin while they wait take the cores of the other models' processes.
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    settings.add_session_config_entry("session.inter_op.allow_spinning", "0")
    for key, value in options.session_entries.items():
        settings.add_session_config_entry(key, value)
    session = onnxruntime.InferenceSession(str(path), settings, providers=providers)
    session.disable_fallback()  # a failing run is an error, not a reason to move to the CPU
    return session
