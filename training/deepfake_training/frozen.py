"""A backbone whose first stages learn no more, and on a CPU run in ONNX Runtime, folded, in a fraction of the time."""

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

if TYPE_CHECKING:  # loaded where it is used: a network that learns whole needs no ONNX Runtime
    import onnxruntime


class FrozenStart:
    """The backbone's `forward_features` with its stem and first `stages` stages as they are now.

    For timm's EfficientNets. Their parameters are taken out of learning, and their batch norms keep their statistics.
    """

    def __init__(self, backbone: Any, stages: int):
        start = [backbone.conv_stem, backbone.bn1, *backbone.blocks[:stages]]
        self._start = nn.Sequential(*start).requires_grad_(False)
        self._rest = nn.Sequential(*backbone.blocks[stages:], backbone.conv_head, backbone.bn2)
        self._sessions: dict[torch.Size, onnxruntime.InferenceSession] = {}

    def __call__(self, pictures: Tensor) -> Tensor:
        """Normalised [N, 3, S, S] to the last maps [N, C, h, w]."""
        if pictures.device.type != "cpu":  # what leaves a GPU and comes back costs more than it saves
            with torch.no_grad():
                return self._rest(self._start.eval()(pictures))
        if pictures.shape not in self._sessions:  # the padding that TensorFlow calls "same" is fixed in the graph
            self._sessions[pictures.shape] = self._session(pictures)
        maps = self._sessions[pictures.shape].run(None, {"pictures": np.ascontiguousarray(pictures.numpy())})[0]
        return self._rest(torch.from_numpy(maps).contiguous(memory_format=torch.channels_last))

    def _session(self, pictures: Tensor) -> "onnxruntime.InferenceSession":
        import onnxruntime

        graph = io.BytesIO()
        training = self._start.training
        torch.onnx.export(
            self._start.eval(),
            (pictures,),
            graph,  # type: ignore[arg-type]
            input_names=["pictures"],
            opset_version=17,
            dynamo=False,
        )
        self._start.train(training)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        return onnxruntime.InferenceSession(graph.getvalue(), options, providers=["CPUExecutionProvider"])
