"""A model whose weights stay in the bundle's safetensors file: one copy of the numbers, which model.onnx refers to."""

import json
import shutil
import struct
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from deepfake_export.compact import large_weights, replace_weights

TYPES = {"F32": (TensorProto.FLOAT, np.float32), "F16": (TensorProto.FLOAT16, np.float16)}
Stored = tuple["TensorProto.DataType", np.ndarray, int]  # ONNX type, values, and where they begin in the file, bytes


def refer_to_weights(model: onnx.ModelProto, weights: Path, folder: Path) -> onnx.ModelProto:
    """The model with each large weight that lies in the file as external data of it (ONNX, "External Data").

    The file is copied into the model's version folder, since a server opens nothing outside it. A weight in float16 is
    followed by a cast.
    """
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / weights.name
    shutil.copyfile(weights, copy)
    stored = _tensors(copy)
    external = {}
    for initialiser in large_weights(model):
        # The exported module holds the network as `network`.
        kept = stored.get(initialiser.name.removeprefix("network."))
        value = numpy_helper.to_array(initialiser)
        if kept is not None and kept[1].shape == value.shape and np.array_equal(kept[1].astype(np.float32), value):
            external[initialiser.name] = _reference(weights.name, kept)
    return replace_weights(model, external)


def _reference(file: str, stored: Stored) -> TensorProto:
    kind, array, offset = stored
    tensor = TensorProto(data_type=kind, dims=array.shape, data_location=TensorProto.EXTERNAL)
    for key, value in (("location", file), ("offset", offset), ("length", array.nbytes)):
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def _tensors(file: Path) -> dict[str, Stored]:
    """The file's tensors of a type that is served (safetensors' format: the header's length as uint64, the header as
    JSON, the tensors one after the other)."""
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
