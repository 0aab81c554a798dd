"""Whether numbers arrive as they were sent: the check that comes before all figures.

With numpy 2 in the Python that serves, this server hands models silently wrong tensors.
"""

from pathlib import Path

import numpy as np
import tritonclient.grpc as triton
from deepfake_contract.tensors import TensorSpec
from deepfake_export.configuration import ServingOptions, step_configuration
from deepfake_serving.environment import Environment
from deepfake_serving.server import TritonServer
from onnx import TensorProto, helper

WIDTH = 1024
START_DEADLINE_S = 60.0
SENT, RECEIVED = TensorSpec("SENT", (WIDTH,)), TensorSpec("RECEIVED", (WIDTH,))


def check_ramp(folder: Path, environment: Environment) -> None:
    """Serves a model that gives back what it gets; ValueError where that is anything else."""
    shape = ["batch", WIDTH]
    graph = helper.make_graph(
        [helper.make_node("Identity", [SENT.name], [RECEIVED.name])],
        "ramp",
        [helper.make_tensor_value_info(SENT.name, TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(RECEIVED.name, TensorProto.FLOAT, shape)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    version = folder / "ramp" / "1"
    version.mkdir(parents=True)
    (version / "model.onnx").write_bytes(model.SerializeToString())
    (version.parent / "config.pbtxt").write_text(step_configuration("ramp", [SENT], [RECEIVED], ServingOptions()))
    ramp = np.arange(4 * WIDTH, dtype=np.float32).reshape(4, WIDTH)
    with TritonServer(
        folder, environment=environment.folder, device="cpu", start_deadline_s=START_DEADLINE_S
    ) as server:
        tensor = triton.InferInput(SENT.name, ramp.shape, "FP32")
        tensor.set_data_from_numpy(ramp)
        received = triton.InferenceServerClient(server.grpc).infer("ramp", [tensor]).as_numpy(RECEIVED.name)
    if not np.array_equal(received, ramp):
        raise ValueError(f"A ramp came back changed, beginning with {received.ravel()[:4]}: check numpy's version.")
