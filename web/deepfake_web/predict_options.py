"""The form's fields beside the file."""

from dataclasses import dataclass
from typing import Annotated

from deepfake_contract.errors import UsageError
from msgspec import Meta

from deepfake_web.settings import WebSettings

NAME_LENGTH = 1000  # characters
# As scripts, form controls and other languages write them.
TRUTH = {
    text: value
    for word, value in (("true", True), ("1", True), ("on", True), ("false", False), ("0", False), ("", False))
    for text in (word, word.capitalize(), word.upper())
}


@dataclass(frozen=True)
class Options:
    """How the file is analysed, and what the answer carries."""

    frames: Annotated[
        int | None, Meta(description="Frames of a clip to analyse; left out or empty, as many as the model says.")
    ] = None
    heatmaps: Annotated[
        bool, Meta(description="Whether faces carry a heatmap of what their verdict comes from, frames a thumbnail.")
    ] = False
    report: Annotated[
        bool, Meta(description="Whether the result has the field `report`: the page that people keep, with heatmaps.")
    ] = False
    name: Annotated[str, Meta(min_length=1, max_length=NAME_LENGTH, description="What the report calls the file.")] = (
        "Uploaded file"
    )


def parse_options(fields: dict[str, str], settings: WebSettings) -> Options:
    """UsageError names the field that is unknown or has a value it can't have."""
    unknown = fields.keys() - Options.__dataclass_fields__.keys()
    if unknown:
        known = ", ".join(Options.__dataclass_fields__)
        raise UsageError(f"There is no option {min(unknown)[:40]!r}; the options are {known}.")
    return Options(
        frames=_frames(fields.get("frames"), settings),
        heatmaps=_truth("heatmaps", fields.get("heatmaps", "")),
        report=_truth("report", fields.get("report", "")),
        name=_name(fields.get("name", Options.name)),
    )


def _frames(text: str | None, settings: WebSettings) -> int | None:
    if text is None or text == "":
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise UsageError("The option frames must be a whole number.")
    return settings.check_frames(int(text), "The option frames")


def _truth(option: str, text: str) -> bool:
    if text not in TRUTH:
        raise UsageError(f"The option {option} must be true or false.")
    return TRUTH[text]


def _name(text: str) -> str:
    if not 1 <= len(text) <= NAME_LENGTH:
        raise UsageError(f"The option name must have 1 to {NAME_LENGTH} characters.")
    return text
