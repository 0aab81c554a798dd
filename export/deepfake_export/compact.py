"""Makes a model's file smaller without changing a single weight."""

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SMALLEST = 256  # values; below, a cast costs more than it saves


def store_exact_halves(model: onnx.ModelProto) -> onnx.ModelProto:
    """Stores as float16, with a cast beside it, each table of weights whose values float16 holds exactly.

    A bundle trained in float32 and kept in float16 has only such weights. ONNX Runtime folds the casts when it loads.
    """
    stored = {}
    for initialiser in large_weights(model):
        value = numpy_helper.to_array(initialiser)
        with np.errstate(over="ignore"):
            half = value.astype(np.float16)
        if np.array_equal(half.astype(np.float32), value):
            stored[initialiser.name] = numpy_helper.from_array(half)
    return replace_weights(model, stored)


def large_weights(model: onnx.ModelProto) -> list[TensorProto]:
    """The initialisers in float32, inside the model, that are worth storing otherwise."""
    return [
        each
        for each in model.graph.initializer
        if each.data_type == TensorProto.FLOAT
        and each.data_location != TensorProto.EXTERNAL
        and np.prod(each.dims, dtype=int) >= SMALLEST
    ]


def replace_weights(model: onnx.ModelProto, stored: Mapping[str, TensorProto]) -> onnx.ModelProto:
    """Puts tensors in the place of the initialisers of these names, each in float16 with a cast to float32 after it."""
    casts = []
    for initialiser in model.graph.initializer:
        if (tensor := stored.get(initialiser.name)) is None:
            continue
        name = initialiser.name
        initialiser.CopyFrom(tensor)
        initialiser.name = name
        if tensor.data_type == TensorProto.FLOAT16:
            initialiser.name = f"{name}_half"
            casts.append(helper.make_node("Cast", [f"{name}_half"], [name], name=f"{name}_cast", to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model
