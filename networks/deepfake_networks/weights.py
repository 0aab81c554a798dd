"""A network's trained weights, from and to its file."""

import zipfile
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from deepfake_contract.description import NetworkSpec
from deepfake_contract.errors import BundleError
from torch import Tensor

from deepfake_networks.network import HybridNetwork

SAFETENSORS = ".safetensors"
STATE_KEY = "model_state"  # of the original's checkpoints; a bare state dict is taken too
# Tables that some versions of timm wrote into a state dict; the network computes them itself.
COMPUTED = ("relative_position_index", "attn_mask")
SHOWN = 3  # keys named in an error
FAST = 1  # zlib's level: of weights the usual one, 6, makes one percent less in seven times the time
MANTISSA_BITS = 5  # beside the leading one: an error of at most 1.6 % of a weight


def load_network(folder: Path, spec: NetworkSpec) -> HybridNetwork:
    """The network of a bundle, float32, in evaluation mode; BundleError names file, key and cure."""
    state = _read(folder / spec.weights)
    network = build_network(spec, f"Network {spec.name}")
    fill_network(network, state, spec.weights)
    return network.eval()


def build_network(spec: NetworkSpec, where: str) -> HybridNetwork:
    """A new network as described; BundleError names `where` the description stands."""
    try:
        return HybridNetwork(spec)
    except Exception as cause:  # timm raises what each architecture's constructor does
        raise BundleError(
            f"{where}: timm can't make architecture {spec.architecture!r} with arguments {spec.arguments}: {cause}"
        ) from cause


def fill_network(network: HybridNetwork, state: dict[str, Any], file: str) -> None:
    """Loads a state dict strictly; BundleError names the file and the first key that doesn't fit or isn't finite."""
    expected = network.state_dict()
    state = {key: value for key, value in state.items() if key in expected or not key.endswith(COMPUTED)}
    made_for = f"it must be a {network.spec.architecture} with the head described, trained and saved under these names"
    for problem, keys in (
        ("lacks", expected.keys() - state.keys()),
        ("has unexpected", state.keys() - expected.keys()),
    ):
        if keys:
            raise BundleError(f"{file} {problem} {_name(keys)}: {made_for}.")
    for key, value in state.items():
        if not isinstance(value, Tensor) or value.is_floating_point() != expected[key].is_floating_point():
            kind = value.dtype if isinstance(value, Tensor) else type(value).__name__
            raise BundleError(f"{file}: {key} is {kind}, not {expected[key].dtype}: {made_for}.")
        if value.shape != expected[key].shape:
            shapes = f"{tuple(value.shape)}, not {tuple(expected[key].shape)}"
            raise BundleError(f"{file}: {key} has shape {shapes}: {made_for}.")
        if not torch.isfinite(value).all():
            raise BundleError(f"{file}: {key} has values that are not finite: take a checkpoint from before they were.")
    network.load_state_dict(state, strict=True)


def save_network(folder: Path, network: HybridNetwork, half: bool) -> None:
    """Writes the network's weights, by the ending of their file's name as safetensors or as PyTorch's checkpoint.

    `half` stores tables of weights as float16, norms and biases as they are, and compresses a checkpoint, which PyTorch
    reads all the same.

    BundleError where a weight is too large for float16.
    """
    state = stored_state(network, half)
    file = folder / network.spec.weights
    if file.suffix == SAFETENSORS:
        safetensors.torch.save_file({key: value.contiguous() for key, value in state.items()}, file)
        return
    torch.save({STATE_KEY: state}, file)
    if half:
        _compress(file)


def stored_state(network: HybridNetwork, half: bool) -> dict[str, Tensor]:
    """A copy of the network's state as it is written: with `half`, tables as float16.

    BundleError where a weight is too large for that.
    """
    state = {key: _stored(value.detach().cpu(), half) for key, value in network.state_dict().items()}
    for key, value in state.items():
        if not torch.isfinite(value).all():
            raise BundleError(
                f"Network {network.spec.name} can't be written: {key} is not finite as {value.dtype}. Train it again, "
                "from other weights (--start) or with another --seed."
            )
    return state


@torch.no_grad()
def compact(network: HybridNetwork) -> HybridNetwork:
    """Rounds the network's tables of weights, in place, to so few bits that their files compress to three quarters."""
    for value in network.state_dict().values():
        if _is_table(value):
            mantissa, exponent = torch.frexp(value)  # mantissa in 0.5 to 1
            steps = 2 ** (MANTISSA_BITS + 1)
            value.copy_(torch.ldexp((mantissa * steps).round() / steps, exponent))
    return network


def _compress(archive: Path) -> None:
    """PyTorch stores what it puts into its zip archive as it is."""
    with zipfile.ZipFile(archive) as stored:
        members = [(member.filename, stored.read(member)) for member in stored.infolist()]
    with zipfile.ZipFile(archive, "w") as smaller:
        for name, content in members:
            smaller.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, FAST)


def _is_table(value: Tensor) -> bool:
    return value.is_floating_point() and value.ndim > 1


def _stored(value: Tensor, half: bool) -> Tensor:
    return value.half() if half and _is_table(value) else value.clone()


def _read(path: Path) -> dict[str, Any]:
    if path.suffix == SAFETENSORS:
        return _read_safetensors(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as cause:
        raise BundleError(f"{path.name} is missing: put it into the bundle's folder.") from cause
    except Exception as cause:  # torch and pickle raise all kinds for a damaged or refused file
        raise BundleError(
            f"{path.name} is damaged or holds more than weights ({type(cause).__name__}): save it again with "
            f"torch.save({{{STATE_KEY!r}: model.state_dict()}}, path)."
        ) from cause
    state = content.get(STATE_KEY, content) if isinstance(content, dict) else content
    if not isinstance(state, dict) or not state:
        raise BundleError(f"{path.name} holds no state dict, neither under {STATE_KEY!r} nor by itself.")
    return state


def _read_safetensors(path: Path) -> dict[str, Any]:
    try:
        return safetensors.torch.load_file(path)
    except (OSError, safetensors.SafetensorError) as cause:
        raise BundleError(f"{path.name} can't be read as safetensors ({cause}): copy the file again.") from cause


def _name(keys: set[str]) -> str:
    named = ", ".join(sorted(keys)[:SHOWN])
    return f"{named} and {len(keys) - SHOWN} more" if len(keys) > SHOWN else named
