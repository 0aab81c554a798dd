"""The stacking as a graph: scaler and logistic regression by skl2onnx, joined with the mean of the evidence maps."""

from collections.abc import Sequence

import numpy as np
import onnx
from deepfake_contract.stacking import Stacking
from deepfake_contract.tensors import EVIDENCE, HEATMAP, PROBABILITY, TensorSpec, model_probabilities, of_network
from onnx import helper, numpy_helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from deepfake_export.torch_to_onnx import IR_VERSION, OPSET, declare


def stacking_inputs(names: Sequence[str]) -> list[TensorSpec]:
    """Each network's probability, then each one's evidence."""
    return [of_network(name, spec) for spec in (PROBABILITY, EVIDENCE) for name in names]


def meta_model(names: Sequence[str], stacking: Stacking) -> onnx.ModelProto:
    """The named networks' probabilities and evidence to PROBABILITY, MODEL_PROBABILITIES and HEATMAP."""
    inputs, regression = stacking_inputs(names), _regression(stacking)
    scores, maps = inputs[: len(names)], inputs[len(names) :]
    together = model_probabilities(len(names))
    weights = np.array(stacking.heatmap_weights(), np.float32)
    nodes = [
        # Under a new name: an ensemble's output that is also a step's input breaks requests for other outputs.
        helper.make_node("Concat", [each.name for each in scores], [together.name], axis=1),
        *regression.graph.node,
        helper.make_node("Slice", ["both", "fake_from", "fake_to", "class_axis"], [PROBABILITY.name]),
        *(
            helper.make_node("Mul", [each.name, f"weight_{index}"], [f"weighted_{index}"])
            for index, each in enumerate(maps)
        ),
        helper.make_node("Sum", [f"weighted_{index}" for index in range(len(maps))], [HEATMAP.name]),
    ]
    constants = {"fake_from": np.array([1]), "fake_to": np.array([2]), "class_axis": np.array([1])}
    constants |= {f"weight_{index}": np.array(weight) for index, weight in enumerate(weights)}
    initialisers = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "meta_model", [], [], [*regression.graph.initializer, *initialisers])
    model = helper.make_model(
        graph, opset_imports=regression.opset_import, ir_version=IR_VERSION, producer_name="deepfake"
    )
    return declare(model, inputs, (PROBABILITY, together, HEATMAP), batched=True)


def estimators(stacking: Stacking) -> Pipeline:
    """The stacking as fitted scikit-learn estimators: probabilities [N, networks] in, of REAL and FAKE [N, 2] out."""
    scaler, regression = StandardScaler(), LogisticRegression()
    scaler.mean_, scaler.scale_ = np.array(stacking.mean), np.array(stacking.scale)
    scaler.var_, scaler.n_features_in_ = scaler.scale_**2, len(stacking.mean)
    regression.coef_ = np.array([stacking.coefficients])
    regression.intercept_ = np.array([stacking.intercept])
    regression.classes_, regression.n_features_in_ = np.array([0, 1]), len(stacking.mean)
    return make_pipeline(scaler, regression)


def _regression(stacking: Stacking) -> onnx.ModelProto:
    """skl2onnx's conversion: MODEL_PROBABILITIES [N, networks] to `both` [N, 2], of REAL and of FAKE."""
    count = len(stacking.mean)
    model = to_onnx(
        estimators(stacking),
        initial_types=[(model_probabilities(count).name, FloatTensorType([None, count]))],
        options={"zipmap": False},
        target_opset={"": OPSET, "ai.onnx.ml": 1},
    )
    for node in model.graph.node:
        node.output[:] = ["both" if name == "probabilities" else name for name in node.output]
    return model
