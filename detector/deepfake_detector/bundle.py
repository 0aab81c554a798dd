"""A trained detector on disk: three networks' weights, the stacking, and bundle.toml that says what they are."""

import hashlib
import logging
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepfake_detector.errors import BundleError
from deepfake_detector.network import HybridNetwork, NetworkSpec
from deepfake_detector.policy import Policy
from deepfake_detector.profiles import BASE, BASE_POLICY, ROLES
from deepfake_detector.stacking import REGRESSION_FILE, SCALER_FILE, Stacking
from deepfake_detector.tables import from_table, to_plain
from deepfake_detector.weights import load_network

TOML_FILE = "bundle.toml"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Title:
    """What every result is signed with."""

    name: str
    version: str


@dataclass(frozen=True)
class Bundle:
    """A loaded bundle. `networks` by role in stacking order, float32, in evaluation mode; `digest` "sha256:…"."""

    title: Title
    policy: Policy
    stacking: Stacking
    digest: str
    networks: dict[str, HybridNetwork] = field(repr=False)

    @classmethod
    def load(cls, folder: Path) -> "Bundle":
        """Reads and checks every file of the folder; BundleError names file, key and cure.

        A folder with only the five files of the original system is that system.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise BundleError(f"There is no bundle's folder {folder}.")
        title, specs, policy = _contents(folder)
        files = bundle_files(specs, (folder / TOML_FILE).exists())
        missing = [file for file in files if not (folder / file).is_file()]
        if missing:
            raise BundleError(f"{', '.join(missing)} is missing in {folder}: a bundle needs {', '.join(files)}.")
        stacking = Stacking.read(folder)
        networks = {spec.role: load_network(folder, spec) for spec in specs}
        return cls(title, policy, stacking, _digest(folder, files), networks)

    def description(self) -> dict[str, Any]:
        """What a client learns of the bundle, as plain JSON types: Triton's parameter `deepfake_bundle`."""
        return {
            "name": self.title.name,
            "version": self.title.version,
            "digest": self.digest,
            "architectures": {role: network.spec.architecture for role, network in self.networks.items()},
            "policy": to_plain(self.policy),
            "stacking": to_plain(self.stacking),
        }


def bundle_files(specs: tuple[NetworkSpec, ...], with_toml: bool) -> list[str]:
    """The names of a bundle's files, sorted."""
    files = [spec.weights for spec in specs] + [SCALER_FILE, REGRESSION_FILE]
    return sorted([*files, TOML_FILE] if with_toml else files)


def _contents(folder: Path) -> tuple[Title, tuple[NetworkSpec, ...], Policy]:
    path = folder / TOML_FILE
    if not path.exists():
        log.warning("%s has no %s: read as the original system (base)", folder, TOML_FILE)
        return Title("base", "1.0.0"), BASE, BASE_POLICY
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as cause:
        raise BundleError(f"{TOML_FILE} can't be read: {cause}.") from cause
    unknown = content.keys() - {"bundle", "networks", "policy"}
    if unknown:
        raise BundleError(f"{TOML_FILE} has an unknown table {sorted(unknown)[0]!r}.")
    networks = content.get("networks")
    if not isinstance(networks, list) or [_role(table) for table in networks] != list(ROLES):
        raise BundleError(f"{TOML_FILE} must have three [[networks]] with the roles {', '.join(ROLES)}, in that order.")
    specs = tuple(from_table(NetworkSpec, table, f"{TOML_FILE} [[networks]]") for table in networks)
    for spec in specs:
        _check(spec)
    title = from_table(Title, content.get("bundle"), f"{TOML_FILE} [bundle]")
    return title, specs, from_table(Policy, content.get("policy"), f"{TOML_FILE} [policy]")


def _role(table: Any) -> Any:
    return table.get("role") if isinstance(table, Mapping) else None


def _check(spec: NetworkSpec) -> None:
    where = f"{TOML_FILE} [[networks]] {spec.role}"
    if Path(spec.weights).name != spec.weights:
        raise BundleError(f"{where}: weights must be the name of a file in the folder, but is {spec.weights!r}.")
    if min(spec.std) <= 0:
        raise BundleError(f"{where}: std must be above 0, but is {spec.std}.")
    fft = spec.fft
    if fft is None or fft.size not in (224, 112, 56, 28) or min(*fft.channels, fft.features) < 1:
        raise BundleError(f"{where}: fft needs a size of 224, 112, 56 or 28 and at least one channel and feature.")


def _digest(folder: Path, files: list[str]) -> str:
    """SHA-256 of what `sha256sum FILES` prints for the sorted files, so that a shell can compute it too."""
    lines = (f"{hashlib.sha256((folder / file).read_bytes()).hexdigest()}  {file}\n" for file in files)
    return "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()
