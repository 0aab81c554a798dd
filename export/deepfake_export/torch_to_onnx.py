"""A torch module as an ONNX model."""

import io
import warnings
from collections.abc import Sequence

import onnx
import torch
from deepfake_contract.tensors import TensorSpec
from onnx import TensorProto, helper
from torch import Tensor, nn

OPSET = 17  # served by every ONNX Runtime since 1.12
IR_VERSION = 8  # the one of that opset
TRACED_BATCH = 2  # crops; free in the graph


def export_module(
    module: nn.Module,
    inputs: Sequence[TensorSpec],
    outputs: Sequence[TensorSpec],
    *,
    batched: bool = True,
    opset: int = OPSET,
    fold: bool = True,
    example: Sequence[Tensor] | None = None,
) -> onnx.ModelProto:
    """The module's graph in evaluation mode; `batched` puts a batch axis of any size before each tensor's dims.

    Traced with `example`, by default zeros; it is needed where dims are free. `fold` lets the exporter compute what is
    constant; without, each weight stays as it is in the module.
    """
    example = tuple(_zeros(spec, batched) for spec in inputs) if example is None else tuple(example)
    buffer = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        # The TorchScript exporter is the one that converts all of these networks; it calls itself deprecated.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            example,
            buffer,  # type: ignore[arg-type]
            input_names=[spec.name for spec in inputs],
            output_names=[spec.name for spec in outputs],
            dynamic_axes={spec.name: _free_axes(spec, batched) for spec in (*inputs, *outputs)},
            opset_version=opset,
            do_constant_folding=fold,
            # Else it folds norms into convolutions: such weights no longer fit float16 exactly.
            training=torch.onnx.TrainingMode.PRESERVE,
            dynamo=False,
        )
    model = onnx.load_from_string(buffer.getvalue())
    model.producer_name, model.producer_version = "deepfake", ""
    model.ir_version = min(model.ir_version, IR_VERSION)
    return declare(model, inputs, outputs, batched=batched)


def declare(
    model: onnx.ModelProto, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec], *, batched: bool
) -> onnx.ModelProto:
    """Gives the model exactly these inputs and outputs, and checks it."""
    for declared, specs in ((model.graph.input, inputs), (model.graph.output, outputs)):
        del declared[:]
        for spec in specs:
            kind = TensorProto.UINT8 if spec.uint8 else TensorProto.FLOAT
            dims = [None if side < 0 else side for side in spec.dims]
            declared.append(helper.make_tensor_value_info(spec.name, kind, ["batch", *dims] if batched else dims))
    onnx.checker.check_model(model, full_check=True)
    return model


def _zeros(spec: TensorSpec, batched: bool) -> Tensor:
    shape = (TRACED_BATCH, *spec.dims) if batched else spec.dims
    return torch.zeros(shape, dtype=torch.uint8 if spec.uint8 else torch.float32)


def _free_axes(spec: TensorSpec, batched: bool) -> list[int]:
    axes = [axis + batched for axis, side in enumerate(spec.dims) if side < 0]
    return [0, *axes] if batched else axes
