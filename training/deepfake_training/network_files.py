"""One network as files small enough to carry to another machine and back: weights in parts, and what they are.

    NAME.json              the network's description, its parts with their digests, and what is known about it
    NAME-1.safetensors …   its weights, tables as float16, at most 16 MiB a part

Needs torch, timm and safetensors alone.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import safetensors.torch
from deepfake_contract.description import NetworkSpec
from deepfake_contract.errors import BundleError
from deepfake_contract.plain_types import from_table, to_plain
from deepfake_networks.network import HybridNetwork
from deepfake_networks.weights import build_network, fill_network, stored_state
from safetensors import SafetensorError
from torch import Tensor

PART_BYTES = 16 * 2**20
HEADER_BYTES = 256  # at most what a part's header says of a tensor, beside its name


def save_network_files(folder: Path, name: str, network: HybridNetwork, about: dict[str, Any]) -> list[Path]:
    """Writes the network into the folder, which is made where it is missing; the files' paths, the description first.

    `about`: what else is to be known, as plain JSON (recipe, pictures seen, figures). BundleError where a weight is not
    finite as float16, or one table is larger than a part.
    """
    parts = [
        (f"{name}-{number}.safetensors", safetensors.torch.save(part))
        for number, part in enumerate(_parts(stored_state(network, half=True)), 1)
    ]
    described = [{"file": file, "bytes": len(data), "sha256": _digest(data)} for file, data in parts]
    content = {"spec": to_plain(network.spec), "parts": described, "about": about}
    files = [(f"{name}.json", json.dumps(content, indent=1).encode()), *parts]
    folder.mkdir(parents=True, exist_ok=True)
    for file, data in files:
        (folder / f"{file}.partial").write_bytes(data)
    for file, _ in files:  # an older network of this name stays whole until all of the new one is written
        (folder / f"{file}.partial").replace(folder / file)
    return [folder / file for file, _ in files]


def load_network_files(path: Path) -> HybridNetwork:
    """The network, float32, in evaluation mode; `path` is its description, or a folder that holds one alone.

    BundleError names the file that is missing or damaged, and the cure.
    """
    description, content = _description(path)
    spec = from_table(NetworkSpec, content.get("spec"), f"{description.name} spec")
    state: dict[str, Tensor] = {}
    for part in _described_parts(description, content):
        state |= _read_part(description, part)
    network = build_network(spec, description.name)
    fill_network(network, state, description.name)
    return network.eval()


def read_about(path: Path) -> dict[str, Any]:
    """What was given to `save_network_files` as `about`; BundleError as in `load_network_files`."""
    return _description(path)[1].get("about", {})


def _parts(state: dict[str, Tensor]) -> Iterator[dict[str, Tensor]]:
    """The state cut, in its order, into pieces that fit a part each."""
    part: dict[str, Tensor] = {}
    taken = 0
    for key, value in state.items():
        size = value.nbytes + len(key) + HEADER_BYTES
        if size > PART_BYTES:
            raise ValueError(f"{key} takes {value.nbytes} bytes, more than the {PART_BYTES} of a part")
        if part and taken + size > PART_BYTES:
            yield part
            part, taken = {}, 0
        part[key] = value.contiguous()
        taken += size
    yield part


def _description(path: Path) -> tuple[Path, dict[str, Any]]:
    path = Path(path)
    if path.is_dir():
        found = sorted(path.glob("*.json"))
        if len(found) != 1:
            named = ", ".join(file.name for file in found) or "none"
            raise BundleError(f"{path} must hold one network's NAME.json, but holds {named}: name the file itself.")
        path = found[0]
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as cause:
        raise BundleError(f"There is no {path}: name a network's NAME.json, or its folder.") from cause
    except (OSError, ValueError) as cause:
        raise BundleError(f"{path} can't be read: {cause}. Write the network's files again.") from cause
    if not isinstance(content, dict) or not isinstance(content.get("about", {}), dict):
        raise BundleError(f"{path} does not describe a network. Write the network's files again.")
    return path, content


def _described_parts(description: Path, content: dict[str, Any]) -> list[dict[str, str]]:
    parts = content.get("parts")
    if not isinstance(parts, list) or not parts or not all(map(_is_part, parts)):
        raise BundleError(f"{description} must list its parts, each a file's name beside it with its sha256.")
    return parts


def _is_part(part: Any) -> bool:
    file, digest = (part.get("file"), part.get("sha256")) if isinstance(part, dict) else (None, None)
    return isinstance(digest, str) and isinstance(file, str) and Path(file).name == file


def _read_part(description: Path, part: dict[str, str]) -> dict[str, Tensor]:
    path = description.with_name(part["file"])
    again = f"copy it again from where {description.name} was written"
    try:
        data = path.read_bytes()
    except OSError as cause:
        raise BundleError(f"{path} is missing or can't be read ({cause.strerror}): {again}.") from cause
    if _digest(data) != part["sha256"]:
        raise BundleError(f"{path} is not what {description.name} lists (its SHA-256 differs): {again}.")
    try:
        return safetensors.torch.load(data)
    except SafetensorError as cause:
        raise BundleError(f"{path} is no file of weights: {cause}. Write the network's files again.") from cause


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
