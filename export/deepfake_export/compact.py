"""Makes a model's file smaller without changing a single weight."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SMALLEST = 256  # values; below, a cast costs more than it saves


def store_exact_halves(model: onnx.ModelProto) -> onnx.ModelProto:
    """Stores as float16, with a cast beside it, each table of weights whose values float16 holds exactly.

    A bundle trained in float32 and kept in float16 has only such weights. ONNX Runtime folds the casts when it loads.
    """
    casts = []
    for initialiser in model.graph.initializer:
        if initialiser.data_type != TensorProto.FLOAT or initialiser.data_location == TensorProto.EXTERNAL:
            continue
        value = numpy_helper.to_array(initialiser)
        with np.errstate(over="ignore"):
            half = value.astype(np.float16)
        if value.size < SMALLEST or not np.array_equal(half.astype(np.float32), value):
            continue
        name, stored = initialiser.name, f"{initialiser.name}_half"
        initialiser.CopyFrom(numpy_helper.from_array(half, stored))
        casts.append(helper.make_node("Cast", [stored], [name], name=f"{name}_cast", to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model
