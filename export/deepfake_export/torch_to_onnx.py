"""A torch module as an ONNX model."""

import io
import warnings
from collections.abc import Mapping, Sequence

import onnx
import torch
from torch import Tensor, nn

OPSET = 17  # served by every ONNX Runtime since 1.12
IR_VERSION = 8  # the one of that opset


def export_module(
    module: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    dynamic: Mapping[str, Sequence[int]],
    opset: int = OPSET,
) -> onnx.ModelProto:
    """The module's evaluation graph, traced with `inputs`; `dynamic` gives an input's or output's free axes."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        # The TorchScript exporter is the one that converts all of these networks; it calls itself deprecated.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            buffer,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={name: list(axes) for name, axes in dynamic.items()},
            opset_version=opset,
            dynamo=False,
        )
    model = onnx.load_from_string(buffer.getvalue())
    model.producer_name, model.producer_version = "deepfake", ""
    model.ir_version = min(model.ir_version, IR_VERSION)
    return model
