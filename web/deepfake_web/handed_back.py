"""A result that a client hands back, as JSON: what is none is refused by the name of its field."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import msgspec
from deepfake_client.results import FaceResult, FrameResult, Result
from deepfake_contract.errors import UsageError

NAME_LENGTH = 1000  # characters
MAP_SIDE = 7  # cells
THUMBNAIL = re.compile(r"data:image/jpeg;base64,[A-Za-z0-9+/]+={0,2}")


@dataclass(frozen=True)
class ReportRequest:
    """A result to be made into something that can be kept."""

    name: Annotated[str, "What the file is called; it is shown as it is, and not looked for."]
    result: Annotated[Result, "As an analysis gave it, with its maps and thumbnails or without."]


def parse_request(body: bytes, max_frames: int) -> ReportRequest:
    """Raises UsageError. JSON has no numbers but finite ones, and those too large for a float are refused."""
    try:
        request = msgspec.json.decode(body, type=ReportRequest)
    except msgspec.DecodeError as cause:  # a ValidationError is one too
        raise UsageError(f"This is no result: {cause}.") from cause
    result = request.result
    wrong = None
    if not 1 <= len(request.name) <= NAME_LENGTH:
        wrong = f"`name` must have 1 to {NAME_LENGTH} characters"
    elif len(result.frames) > max_frames:
        wrong = f"`result.frames` must have at most {max_frames}"
    else:
        wrong = next(_faults(result), None)
    if wrong:
        raise UsageError(f"This is no result: {wrong}.")
    return request


def _faults(result: Result) -> Iterator[str]:
    if (result.label == "NO FACE") != (result.confidence is None) or (result.certainty is None) != (
        result.confidence is None
    ):
        yield "`result.confidence` and `result.certainty` are null at NO FACE, and only there"
    if min(result.media.width, result.media.height) < 1:
        yield "`result.media` must be at least one pixel wide and high"
    if (result.media.duration_s or 0) < 0:
        yield "`result.media.duration_s` must not be negative"
    networks = [*(result.networks or {}).values(), result.confidence or 0, result.threshold]
    tracks = [track.confidence for track in result.tracks]
    if not _are_probabilities([*networks, *tracks]):
        yield "a probability must be from 0 to 1"
    for at, frame in enumerate(result.frames):
        yield from (f"`result.frames[{at}]`: {fault}" for fault in _frame_faults(frame))


def _frame_faults(frame: FrameResult) -> Iterator[str]:
    if frame.thumbnail is not None and not THUMBNAIL.fullmatch(frame.thumbnail):
        yield "`thumbnail` must be a JPEG's data URI"
    if frame.time_s < 0:
        yield "`time_s` must not be negative"
    if (frame.confidence is None) != (not frame.faces):
        yield "`confidence` is null without a face, and only there"
    for face in frame.faces:
        yield from _face_faults(face)
    if not _are_probabilities([frame.confidence or 0]):
        yield "a probability must be from 0 to 1"


def _face_faults(face: FaceResult) -> Iterator[str]:
    if min(*face.box[2:], *face.crop[2:]) < 0:
        yield "`box` and `crop` must not be of negative size"
    if face.heatmap is not None and [len(row) for row in face.heatmap] != [MAP_SIDE] * MAP_SIDE:
        yield f"`heatmap` must be {MAP_SIDE} rows of {MAP_SIDE}"
    if not _are_probabilities([face.confidence, *face.networks.values()]):
        yield "a probability must be from 0 to 1"


def _are_probabilities(values: list[float]) -> bool:
    return all(0 <= value <= 1 for value in values)
