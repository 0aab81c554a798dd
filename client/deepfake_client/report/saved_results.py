"""Results that were saved as JSON, read back. They may be anybody's: what is drawn of them is checked here."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
from deepfake_contract.errors import DeepfakeError, UsageError

from deepfake_client.report.plain_text import shown
from deepfake_client.report.row import Row
from deepfake_client.results import FrameResult, Result

CURE = "Give JSON that /predict or `deepfake scan --json` wrote, or analyse the file again."
NOT_JSON = (msgspec.DecodeError, RecursionError)  # a ValidationError is a DecodeError, too
LARGEST = 2**53  # whole number that JSON's readers agree on (RFC 8259, section 6)


@dataclass(frozen=True)
class Failure:
    """What a scan says where there is no result."""

    detail: str


@dataclass(frozen=True)
class Envelope:
    """What a scan writes beside a result."""

    path: str | None = None
    error: Failure | None = None


def read_rows(path: Path) -> Iterator[Row]:
    """A row for the file's one result, however it is laid out, or for each line; it is called as the line's `path`
    says, else as the file. UsageError names file, line, field and cure."""
    found = False
    try:
        with path.open("rb") as file:
            first = file.readline()
            pieces = chain([first], file) if _is_json(first) else [first + file.read()]
            for number, piece in enumerate(pieces, 1):
                if piece.strip():
                    found = True
                    yield _row(piece, path, f"{shown(path)}, line {number}")
    except OSError as cause:
        raise UsageError(f"{shown(path)} can't be read: {cause.strerror}.") from cause
    if not found:
        raise UsageError(f"{shown(path)} is empty. {CURE}")


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except NOT_JSON:
        return False
    return True


def _row(piece: bytes, path: Path, where: str) -> Row:
    try:
        envelope = msgspec.json.decode(piece, type=Envelope)
        if envelope.error:
            return Row(Path(envelope.path or path.name), error=DeepfakeError(envelope.error.detail))
        result = msgspec.convert(_completed(msgspec.json.decode(piece)), Result)
    except NOT_JSON as cause:
        raise UsageError(f"{where} is no result: {cause}. {CURE}") from cause
    if wrong := next(_faults(result), None):
        raise UsageError(f"{where} is no result: {wrong}. {CURE}")
    return Row(Path(envelope.path or path.name), result)


def _completed(plain: Any) -> Any:
    """A result as plain JSON types, with what results saved before titles and deciding faces were named lack: the
    networks' titles, and which face decides a frame (the one whose confidence the frame has)."""
    if not isinstance(plain, dict):
        return plain
    model, frames = plain.get("model"), plain.get("frames")
    if isinstance(model, dict):
        model.setdefault("titles", model.get("architectures"))
    for frame in frames if isinstance(frames, list) else []:
        if isinstance(frame, dict) and isinstance(faces := frame.get("faces"), list):
            scores = [face.get("confidence") for face in faces if isinstance(face, dict)]
            own = frame.get("confidence")
            frame.setdefault("deciding", scores.index(own) if own in scores else None)
    return plain


def _faults(result: Result) -> Iterator[str]:
    """What the fields' bounds leave open."""
    without = result.label == "NO FACE"
    if (result.confidence is None) != without or (result.certainty is None) != without:
        yield "`$.confidence` and `$.certainty` are null at NO FACE, and only there"
    media = result.media
    if not (0 < media.width < LARGEST and 0 < media.height < LARGEST):
        yield "`$.media.width` and `$.media.height` must be at least one pixel"
    if not 0 <= media.bytes < LARGEST or (media.duration_s or 0) < 0:
        yield "`$.media.bytes` and `$.media.duration_s` must not be negative"
    for at, frame in enumerate(result.frames):
        if not _is_decided(frame):
            yield f"`$.frames[{at}]`: `deciding` must be one of its faces and `confidence` a number, or both null"


def _is_decided(frame: FrameResult) -> bool:
    if frame.deciding is None or frame.confidence is None:
        return frame.deciding is None and frame.confidence is None and not frame.faces
    return frame.deciding < len(frame.faces)
