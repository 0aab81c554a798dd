"""A trained detector on disk: the networks' weights, and bundle.toml that says what they are and how they join."""

import hashlib
import logging
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepfake_contract.description import BundleDescription, Identity, NetworkSpec
from deepfake_contract.errors import BundleError
from deepfake_contract.plain_types import from_table
from deepfake_contract.policy import Policy
from deepfake_contract.stacking import Stacking

from deepfake_networks.network import HybridNetwork
from deepfake_networks.profiles import BASE, BASE_POLICY
from deepfake_networks.stacking_files import REGRESSION_FILE, SCALER_FILE, read_stacking
from deepfake_networks.weights import SAFETENSORS, load_network

TOML_FILE = "bundle.toml"
TABLES = {"bundle", "networks", "policy", "stacking"}
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bundle:
    """A loaded bundle. `networks` by name in stacking order, float32, in evaluation mode."""

    folder: Path
    description: BundleDescription
    networks: dict[str, HybridNetwork] = field(repr=False)

    @classmethod
    def load(cls, folder: Path) -> "Bundle":
        """Reads and checks every file of the folder; BundleError names file, key and cure.

        A folder without bundle.toml is the original system: five files, the stacking's two as pickles.
        """
        folder = Path(folder)
        description = describe(folder)
        networks = {spec.name: load_network(folder, spec) for spec in description.networks}
        for spec in description.networks:
            _check_side(networks[spec.name], description.policy.crop_side)
        return cls(folder, description, networks)


def describe(folder: Path) -> BundleDescription:
    """What the folder says of itself, without loading its networks; BundleError as Bundle.load."""
    if not folder.is_dir():
        raise BundleError(f"There is no bundle's folder {folder}.")
    if (folder / TOML_FILE).exists():
        content = _read(folder / TOML_FILE)
        identity = from_table(Identity, content.get("bundle"), f"{TOML_FILE} [bundle]")
        specs, policy = _networks(content.get("networks")), from_table(Policy, content.get("policy"), _at("policy"))
        stacking = from_table(Stacking, content.get("stacking"), _at("stacking"))
        files = [TOML_FILE, *(spec.weights for spec in specs)]
        _require(folder, files)
    else:
        log.warning("%s has no %s: read as the original system (base)", folder, TOML_FILE)
        identity, specs, policy = Identity("base", "1.0.0"), BASE, BASE_POLICY
        files = [SCALER_FILE, REGRESSION_FILE, *(spec.weights for spec in specs)]
        _require(folder, files)
        stacking = read_stacking(folder, len(specs))
    try:
        return BundleDescription(identity, _digest(folder, files), specs, policy, stacking)
    except ValueError as cause:
        raise BundleError(f"The bundle in {folder} does not fit together: {cause}.") from cause


def _at(table: str) -> str:
    return f"{TOML_FILE} [{table}]"


def _read(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as cause:
        raise BundleError(f"{TOML_FILE} can't be read: {cause}.") from cause
    if unknown := content.keys() - TABLES:
        raise BundleError(f"{TOML_FILE} has an unknown table {sorted(unknown)[0]!r}.")
    return content


def _networks(tables: Any) -> tuple[NetworkSpec, ...]:
    if not isinstance(tables, list) or not tables:
        raise BundleError(f"{TOML_FILE} must have a table [[networks]] for each network.")
    specs = tuple(from_table(NetworkSpec, table, f"{_at('networks')} {at}") for at, table in enumerate(tables, 1))
    for spec in specs:
        elsewhere = Path(spec.weights).name != spec.weights
        if Path(spec.weights).is_absolute() or (elsewhere and not spec.weights.endswith(SAFETENSORS)):
            raise BundleError(
                f"{_at('networks')} {spec.name}: weights must be the name of a file in the folder, or a relative path "
                f"to a {SAFETENSORS} file, but is {spec.weights!r}."
            )
    return specs


def _check_side(network: HybridNetwork, side: int) -> None:
    embed = getattr(network.backbone, "patch_embed", None)
    fixed = getattr(embed, "img_size", None)
    if fixed is not None and getattr(embed, "strict_img_size", True) and tuple(fixed) != (side, side):
        raise BundleError(
            f"Network {network.spec.name} takes crops of {fixed[0]} pixels, but crop_side is {side}: set "
            f"crop_side, or make the network with arguments = {{ img_size = {side} }}."
        )


def _require(folder: Path, files: list[str]) -> None:
    missing = [file for file in files if not (folder / file).is_file()]
    if missing:
        needs = ", ".join(sorted(files))
        raise BundleError(f"{', '.join(missing)} is missing in {folder}: a bundle needs {needs}.")


def _digest(folder: Path, files: list[str]) -> str:
    """SHA-256 of what `sha256sum FILES` prints for the sorted files, so that a shell can compute it too."""
    lines = (f"{_sha256(folder / file)}  {file}\n" for file in sorted(files))
    return "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
