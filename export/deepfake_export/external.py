"""A model whose weights stay in the bundle's safetensors file: one copy of the numbers, which model.onnx refers to."""

import json
import shutil
import struct
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SMALLEST = 256  # values; smaller ones stay in the graph
TYPES = {"F32": (TensorProto.FLOAT, np.float32), "F16": (TensorProto.FLOAT16, np.float16)}


def refer_to_weights(model: onnx.ModelProto, weights: Path, folder: Path) -> onnx.ModelProto:
    """The model with each large weight that lies in the file as external data of it (ONNX, "External Data").

    The file is copied into the model's version folder, since a server opens nothing outside it. A weight in float16 is
    followed by a cast.
    """
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / weights.name
    shutil.copyfile(weights, copy)
    stored = _tensors(copy)
    casts = []
    for initialiser in model.graph.initializer:
        kept = stored.get(_key(initialiser.name))
        value = numpy_helper.to_array(initialiser)
        if kept is None or value.size < SMALLEST or initialiser.data_type != TensorProto.FLOAT:
            continue
        kind, array, offset = kept
        if array.shape != value.shape or not np.array_equal(array.astype(np.float32), value):
            continue
        name = initialiser.name
        external = TensorProto(name=name, data_type=kind, dims=array.shape, data_location=TensorProto.EXTERNAL)
        for key, text in (("location", weights.name), ("offset", offset), ("length", array.nbytes)):
            external.external_data.add(key=key, value=str(text))
        if kind != TensorProto.FLOAT:
            external.name = f"{name}_half"
            casts.append(helper.make_node("Cast", [external.name], [name], name=f"{name}_cast", to=TensorProto.FLOAT))
        initialiser.CopyFrom(external)
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def _key(initialiser: str) -> str:
    """The name in the network's state dict: the exported module holds the network as `network`."""
    return initialiser.removeprefix("network.")


def _tensors(file: Path) -> dict[str, tuple["TensorProto.DataType", np.ndarray, int]]:
    """ONNX type, values and place in the file, bytes, of each tensor of a type that is served (safetensors' format:
    the header's length as uint64, the header as JSON, the tensors one after the other)."""
    with file.open("rb") as content:
        (length,) = struct.unpack("<Q", content.read(8))
        header = json.loads(content.read(length))
    data = np.memmap(file, np.uint8, "r")
    found = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] not in TYPES:
            continue
        kind, numbers = TYPES[entry["dtype"]]
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        found[name] = kind, data[begin:end].view(numbers).reshape(entry["shape"]), begin
    return found
