"""The stacking as a graph: scaler and logistic regression by skl2onnx, joined with the mean of the evidence maps."""

import numpy as np
import onnx
from deepfake_detector.stacking import Stacking
from onnx import helper, numpy_helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from deepfake_export.tensors import EVIDENCE, HEATMAP, MODEL_PROBABILITIES, PROBABILITY, ROLES, of_role
from deepfake_export.torch_to_onnx import IR_VERSION, OPSET, declare

PROBABILITIES = tuple(of_role(role, PROBABILITY) for role in ROLES)
MAPS = tuple(of_role(role, EVIDENCE) for role in ROLES)


def meta_model(stacking: Stacking) -> onnx.ModelProto:
    """Each network's probability and evidence to PROBABILITY, MODEL_PROBABILITIES and HEATMAP (see tensors.py)."""
    regression = _regression(stacking)
    weights = stacking.heatmap_weights().astype(np.float32)
    nodes = [
        # Under a new name: an ensemble's output that is also a step's input breaks requests for other outputs.
        helper.make_node("Concat", [each.name for each in PROBABILITIES], [MODEL_PROBABILITIES.name], axis=1),
        *regression.graph.node,
        helper.make_node("Slice", ["both", "fake_from", "fake_to", "class_axis"], [PROBABILITY.name]),
        *(
            helper.make_node("Mul", [each.name, f"weight_{index}"], [f"weighted_{index}"])
            for index, each in enumerate(MAPS)
        ),
        helper.make_node("Sum", [f"weighted_{index}" for index in range(len(MAPS))], [HEATMAP.name]),
    ]
    constants = {"fake_from": np.array([1]), "fake_to": np.array([2]), "class_axis": np.array([1])}
    constants |= {f"weight_{index}": np.array(weight) for index, weight in enumerate(weights)}
    initialisers = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "meta_model", [], [], [*regression.graph.initializer, *initialisers])
    model = helper.make_model(
        graph, opset_imports=regression.opset_import, ir_version=IR_VERSION, producer_name="deepfake"
    )
    return declare(model, (*PROBABILITIES, *MAPS), (PROBABILITY, MODEL_PROBABILITIES, HEATMAP), batched=True)


def estimators(stacking: Stacking) -> Pipeline:
    """The stacking as fitted scikit-learn estimators: probabilities [N, 3] in, of REAL and of FAKE [N, 2] out."""
    scaler, regression = StandardScaler(), LogisticRegression()
    scaler.mean_, scaler.scale_ = np.array(stacking.mean), np.array(stacking.scale)
    scaler.var_, scaler.n_features_in_ = scaler.scale_**2, len(stacking.mean)
    regression.coef_ = np.array([stacking.coefficients])
    regression.intercept_ = np.array([stacking.intercept])
    regression.classes_, regression.n_features_in_ = np.array([0, 1]), len(stacking.mean)
    return make_pipeline(scaler, regression)


def _regression(stacking: Stacking) -> onnx.ModelProto:
    """skl2onnx's conversion: MODEL_PROBABILITIES [N, 3] to `both` [N, 2], of REAL and of FAKE."""
    model = to_onnx(
        estimators(stacking),
        initial_types=[(MODEL_PROBABILITIES.name, FloatTensorType([None, len(ROLES)]))],
        options={"zipmap": False},
        target_opset={"": OPSET, "ai.onnx.ml": 1},
    )
    for node in model.graph.node:
        node.output[:] = ["both" if name == "probabilities" else name for name in node.output]
    return model
