"""Media in, Result out."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deepfake_contract.errors import DeepfakeError

    from deepfake_client.detector import Detector
    from deepfake_client.results import Result

__all__ = ["DeepfakeError", "Detector", "Result"]
HOMES = {
    "DeepfakeError": "deepfake_contract.errors",
    "Detector": "deepfake_client.detector",
    "Result": "deepfake_client.results",
}


def __getattr__(name: str) -> Any:
    """Loads the library when it is used: the command and the decoding child process need little of it."""
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(HOMES[name]), name)
