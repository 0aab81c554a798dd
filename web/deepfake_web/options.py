"""The form's fields beside the file."""

from dataclasses import dataclass
from typing import Annotated

from deepfake_contract.errors import UsageError

from deepfake_web.settings import WebSettings

# As scripts, form controls and other languages write them.
TRUTH = {
    text: value
    for word, value in (("true", True), ("1", True), ("on", True), ("false", False), ("0", False), ("", False))
    for text in (word, word.capitalize(), word.upper())
}


@dataclass(frozen=True)
class Options:
    """How the file is looked at, and what the answer carries."""

    frames: Annotated[int | None, "How many frames of a clip are looked at; left out or empty, the policy says."] = None
    heatmaps: Annotated[
        bool, "Whether faces carry the map of what their verdict comes from, and frames a thumbnail."
    ] = False


def parse_options(fields: dict[str, str], settings: WebSettings) -> Options:
    """UsageError names the field that is unknown or has a value it can't have."""
    unknown = fields.keys() - Options.__dataclass_fields__.keys()
    if unknown:
        known = ", ".join(Options.__dataclass_fields__)
        raise UsageError(f"There is no option {min(unknown)[:40]!r}; the options are {known}.")
    return Options(_frames(fields.get("frames"), settings.max_frames), _heatmaps(fields.get("heatmaps", "")))


def _frames(text: str | None, most: int) -> int | None:
    if text is None or text == "":
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise UsageError(f"The option frames must be a whole number from 1 to {most}.")
    return int(text)


def _heatmaps(text: str) -> bool:
    if text not in TRUTH:
        raise UsageError("The option heatmaps must be true or false.")
    return TRUTH[text]
