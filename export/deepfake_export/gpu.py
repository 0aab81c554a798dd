"""What a GPU is told about running a model: its arithmetic, how it chooses convolutions, and TensorRT.

The keys are those of NVIDIA's ONNX Runtime backend (triton-inference-server/onnxruntime_backend, README), which hands
them to ONNX Runtime's CUDA and TensorRT providers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from deepfake_contract.tensors import TensorSpec
from tritonclient.grpc import model_config_pb2 as triton

FLOAT32, TF32, FLOAT16 = PRECISIONS = ("float32", "tf32", "float16")
SEARCHES = ("heuristic", "exhaustive", "default")


@dataclass(frozen=True)
class GpuOptions:
    """Chosen before they were measured on a GPU.

    `precision`: "float32" is exact, so the export's report holds on the GPU too; "tf32" lets tensor cores round each
    product's factors to 10 bits; "float16" stores and runs the networks' feature extractors in half precision.
    `convolution_search`: "exhaustive", ONNX Runtime's own default, times every algorithm anew for each batch size that
    the batcher makes; "heuristic" asks cuDNN, "default" takes one for all. `tensorrt` puts TensorRT before CUDA.
    """

    precision: str = FLOAT32
    convolution_search: str = "heuristic"
    tensorrt: bool = False


def configure(
    config: triton.ModelConfig, inputs: Sequence[TensorSpec], options: GpuOptions, *, tensorrt: bool = True
) -> None:
    """Adds the accelerators to a model's configuration; Triton reads them for instances on a GPU only.

    `tensorrt` false leaves TensorRT out for a model that gains nothing from an engine.
    """
    accelerators = config.optimization.execution_accelerators.gpu_execution_accelerator
    if options.tensorrt and tensorrt:
        accelerators.add(name="tensorrt", parameters=_tensorrt(config, inputs, options))
    # "float16" keeps what is short in float32: there rounding would cost exactness and gain no time.
    cuda = {
        "cudnn_conv_algo_search": options.convolution_search.upper(),
        "use_tf32": str(int(options.precision == TF32)),
    }
    accelerators.add(name="cuda", parameters=cuda)


def _tensorrt(config: triton.ModelConfig, inputs: Sequence[TensorSpec], options: GpuOptions) -> dict[str, str]:
    """One engine for every batch size: without its range, a larger batch than any before would build another."""
    shapes = {
        bound: ",".join(f"{spec.name}:{'x'.join(map(str, (batch, *spec.dims)))}" for spec in inputs)
        for bound, batch in (("min", 1), ("opt", config.max_batch_size), ("max", config.max_batch_size))
    }
    precision = "FP16" if options.precision == FLOAT16 else "FP32"
    return {"precision_mode": precision} | {f"trt_profile_{bound}_shapes": text for bound, text in shapes.items()}
