"""config.pbtxt of each served model, complete: Triton's auto-completion is off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deepfake_contract.tensors import TensorSpec
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as triton

from deepfake_export.gpu import FLOAT16, GpuOptions, configure

LEFT_OUT = "# Defaults that this form leaves out: kind KIND_AUTO, timeout_action REJECT, max_queue_size 0 (no limit).\n"
WARM_UP_FRAME = (360, 640, 3)  # pixels, where a shape is free


@dataclass(frozen=True)
class ServingOptions:
    """How Triton runs the steps.

    `batch_size`: most crops in a batch; on a CPU the client's batch and not more, since a batcher that joined two
    requests would leave a core idle. `instances` of each network and of the face detector, each with `threads`
    threads. `queue_timeout_s`: how long a request may wait before it is rejected: at least four batches of the slowest
    network, less than the client's deadline. `queue_delay_s`: how long a batch that is not full waits for more. `gpu`:
    what a GPU is told besides; without, ONNX Runtime's defaults hold there.
    """

    batch_size: int = 8
    instances: int = 2
    threads: int = 1
    queue_timeout_s: float = 60.0
    queue_delay_s: float = 0.0
    gpu: GpuOptions | None = None

    @property
    def in_half(self) -> bool:
        """Whether the networks are in float16."""
        return self.gpu is not None and self.gpu.precision == FLOAT16


CPU = ServingOptions()  # measured best for two cores
# Chosen before it was measured on a GPU: four requests of the client's in a batch, and time for the next to join it.
GPU = ServingOptions(batch_size=32, instances=1, queue_delay_s=0.002, gpu=GpuOptions())


def step_configuration(
    name: str,
    inputs: Sequence[TensorSpec],
    outputs: Sequence[TensorSpec],
    options: ServingOptions,
    *,
    batched: bool = True,
    copied: bool = True,
) -> str:
    """A model that runs model.onnx; `batched`: every tensor has a batch axis; `copied`: the model has
    `options.instances` instances, else one."""
    config = _configuration(name, inputs, outputs)
    config.backend = "onnxruntime"
    config.default_model_filename = "model.onnx"
    config.instance_group.add(
        name=name, count=options.instances if copied else 1, kind=triton.ModelInstanceGroup.KIND_AUTO
    )
    for key, value in {"intra_op_thread_count": options.threads, "inter_op_thread_count": 1}.items():
        config.parameters[key].string_value = str(value)
    _warm_up(config, inputs, options.batch_size if batched else 0)
    queue = triton.ModelQueuePolicy(
        timeout_action=triton.ModelQueuePolicy.REJECT,
        default_timeout_microseconds=round(options.queue_timeout_s * 1_000_000),
    )
    # Also without a batch axis: the queue of the scheduler is bounded by this policy only.
    config.dynamic_batching.default_queue_policy.CopyFrom(queue)
    if batched:
        config.max_batch_size = options.batch_size
        config.dynamic_batching.max_queue_delay_microseconds = round(options.queue_delay_s * 1_000_000)
    if options.gpu is not None:
        configure(config, inputs, options.gpu, tensorrt=batched and copied)
    return _text(config)


def ensemble_configuration(
    name: str,
    inputs: Sequence[TensorSpec],
    outputs: Sequence[TensorSpec],
    steps: Sequence[tuple[str, Mapping[str, str], Mapping[str, str]]],
    parameters: Mapping[str, str],
    batch_size: int,
) -> str:
    """An ensemble: each step is a model with its inputs' and its outputs' tensors (the model's name: ours).

    Triton refuses warm-up, instances and a batcher here.
    """
    config = _configuration(name, inputs, outputs)
    config.platform = "ensemble"
    config.max_batch_size = batch_size
    for model, step_inputs, step_outputs in steps:
        config.ensemble_scheduling.step.add(
            model_name=model, model_version=-1, input_map=step_inputs, output_map=step_outputs
        )
    for key, value in parameters.items():
        config.parameters[key].string_value = value
    return _text(config)


def _configuration(name: str, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> triton.ModelConfig:
    config = triton.ModelConfig(name=name)
    config.version_policy.latest.num_versions = 1
    for spec in inputs:
        config.input.add(name=spec.name, data_type=_data_type(spec), dims=spec.dims)
    for spec in outputs:
        config.output.add(name=spec.name, data_type=_data_type(spec), dims=spec.dims)
    return config


def _warm_up(config: triton.ModelConfig, inputs: Sequence[TensorSpec], batch_size: int) -> None:
    warm_up = config.model_warmup.add(name="random", batch_size=batch_size, count=1)
    for spec in inputs:
        dims = [WARM_UP_FRAME[axis] if side < 0 else side for axis, side in enumerate(spec.dims)]
        entry = warm_up.inputs[spec.name]
        entry.data_type, entry.random_data = _data_type(spec), True
        entry.dims.extend(dims)


def _data_type(spec: TensorSpec) -> "triton.DataType":
    return triton.TYPE_UINT8 if spec.uint8 else triton.TYPE_FP32


def _text(config: triton.ModelConfig) -> str:
    return LEFT_OUT + text_format.MessageToString(config)
