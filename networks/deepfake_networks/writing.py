"""Writes a bundle, as `Bundle.load` reads it."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from deepfake_contract.description import Identity, NetworkSpec
from deepfake_contract.plain_types import to_plain, to_toml
from deepfake_contract.policy import Policy
from deepfake_contract.stacking import Stacking

from deepfake_networks.bundle import TOML_FILE
from deepfake_networks.network import HybridNetwork
from deepfake_networks.weights import save_network


def write_bundle(
    folder: Path,
    identity: Identity,
    networks: Sequence[HybridNetwork],
    stacking: Stacking,
    policy: Policy,
    *,
    half: bool = False,
) -> None:
    """Writes the networks' weights and bundle.toml into the folder, which is made where it is missing.

    Networks in stacking order; `half` stores weights as float16, half as large. BundleError where one does not fit.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for network in networks:
        save_network(folder, network, half)
    write_description(folder, identity, [network.spec for network in networks], stacking, policy)


def write_description(
    folder: Path, identity: Identity, specs: Sequence[NetworkSpec], stacking: Stacking, policy: Policy
) -> None:
    """Writes bundle.toml into the folder, in which the networks' weights are."""
    tables = [
        ("[bundle]", identity),
        *(("[[networks]]", spec) for spec in specs),
        ("[stacking]", stacking),
        ("[policy]", policy),
        ("[policy.certainty]", policy.certainty),
    ]
    text = "\n".join(f"{header}\n{_lines(value)}" for header, value in tables)
    (folder / TOML_FILE).write_text(text, encoding="utf-8")


def _lines(value: Any) -> str:
    """A dataclass as lines of TOML; what is None, false or empty is left out, and what has a table of its own."""
    plain = to_plain(value)
    items = [(each.name, plain[each.name]) for each in fields(value) if each.name != "certainty"]
    return "".join(f"{key} = {to_toml(_given(item))}\n" for key, item in items if _says(item))


def _says(item: Any) -> bool:
    """Whether it is worth a line; a 0 is."""
    return item is not None and item is not False and item != "" and item != {}


def _given(item: Any) -> Any:
    return {key: value for key, value in item.items() if value is not None} if isinstance(item, Mapping) else item
