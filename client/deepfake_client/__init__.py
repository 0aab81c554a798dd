"""Media in, Result out."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deepfake_client.detector import Detector

__all__ = ["Detector"]


def __getattr__(name: str) -> Any:
    """Loads the library when it is used: the command and the decoding child process need little of it."""
    if name == "Detector":
        from deepfake_client.detector import Detector

        return Detector
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
