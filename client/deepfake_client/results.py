"""What an analysis says: the one form from which JSON, OpenAPI, table and report follow.

What is written beside a field is its description in OpenAPI.
"""

from collections.abc import Generator
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, Literal

Label = Literal["REAL", "FAKE", "NO FACE"]
Certainty = Literal["high", "low"]
Box = Annotated[tuple[float, float, float, float], "x, y, width, height in pixels of the picture as shown."]


@dataclass(frozen=True)
class Model:
    """Which detector answered."""

    name: str
    version: str
    digest: Annotated[str, "SHA-256 over the files of its bundle."]
    architectures: Annotated[dict[str, str], "Of each network, by its role."]
    false_positive_rate: Annotated[
        float | None, "Share of real ones that reached the threshold in tests; null where it was not measured."
    ]


@dataclass(frozen=True)
class MediaInfo:
    """What the file is: as probed, not as named."""

    sha256: str
    bytes: int
    container: str
    codec: str
    width: Annotated[int, "Pixels as shown: upright, and square, whatever shape they are stored in."]
    height: Annotated[int, "As width."]
    duration_s: Annotated[float | None, "Seconds; null for a picture."]
    frame_rate: Annotated[float | None, "Frames a second; null for a picture."]


@dataclass(frozen=True)
class FaceResult:
    """One face in one frame. With the frame policy box and crop are the whole frame, and score and track are None."""

    track: Annotated[int | None, "The `id` of its track."]
    box: Annotated[Box, "Where the face is."]
    crop: Annotated[Box, "What the networks saw."]
    score: Annotated[float | None, "The face detector's own, from 0 to 1: how surely this is a face."]
    confidence: Annotated[float, "Probability of FAKE for this face."]
    networks: Annotated[dict[str, float], "Probability of FAKE that each network gave, by its role."]
    heatmap: Annotated[
        list[list[float]] | None, "What that comes from: 7 rows of 7 logits over `crop`, positive toward FAKE."
    ] = None
    cut: Annotated[bool, "Whether the picture's edge cuts it: it decides only where no whole face is seen."] = False


def deciding_face(faces: list[FaceResult]) -> FaceResult | None:
    """The face that a frame's answer is of: the one with the highest probability of those that the picture's edge does
    not cut, if there are any."""
    whole = [face for face in faces if not face.cut]
    return max(whole or faces, key=lambda face: face.confidence, default=None)


@dataclass(frozen=True)
class FrameResult:
    """One frame looked at."""

    index: Annotated[int, "Counts the clip's frames from 0, as they are shown."]
    time_s: Annotated[float, "Seconds from the clip's start; 0 for a picture."]
    confidence: Annotated[float | None, "The highest of its faces, of the whole ones first; null without a face."]
    faces: list[FaceResult]
    thumbnail: Annotated[str | None, "A JPEG as data URI."] = None


@dataclass(frozen=True)
class TrackResult:
    """One person followed through the clip."""

    id: int
    confidence: Annotated[float, "Mean over the frames that show them."]
    frames: Annotated[int, "How many of the frames looked at show them."]
    first_s: Annotated[float, "When they are seen first, seconds from the clip's start."]
    last_s: Annotated[float, "And last."]


@dataclass(frozen=True)
class Credentials:
    """Content Credentials (C2PA). `none`: the file has none; that proves nothing. With the problem
    `manifest.inaccessible` it names some at another place, where nobody looked. `broken`: what is signed is not what
    the file holds, or can't be read; `problems` says why, in the standard's codes, after `general.error:` in words.
    `unknown_signer`: intact, but `trust_list` (the file's name) does not know who signed, or there is no list.
    `trusted`: intact, and it does. `signer` and `software` (the claim's generator) are what the credentials say,
    `signed_at` as ISO 8601; None where they say nothing."""

    state: Literal["none", "broken", "unknown_signer", "trusted"]
    signer: str | None
    software: str | None
    signed_at: str | None
    trust_list: str | None
    problems: list[str]


NO_CREDENTIALS = Credentials("none", None, None, None, None, [])


@dataclass(frozen=True)
class Provenance:
    """What the file says of itself: no part of the probability, and no proof. `tags` are texts as the file has them,
    such as `camera` and `software`, each on one line of at most 300 characters; never where it was taken."""

    tags: dict[str, str]
    credentials: Credentials


@dataclass(frozen=True)
class Timing:
    """Seconds in which each stage was under way. Stages overlap, so they may add up to more than the total."""

    probe: float
    decode: float
    faces: float
    networks: float
    total: float


@dataclass(frozen=True)
class Result:
    """The answer for one file."""

    file_type: Literal["image", "video"]
    frames_processed: Annotated[int, "How many frames were looked at; 1 for a picture."]
    confidence: Annotated[
        float | None,
        "Probability of FAKE: mean over the frames with a face, each with its highest whole one. null at NO FACE.",
    ]
    label: Annotated[Label, "FAKE from the threshold on; REAL says only that little sign of manipulation was found."]
    certainty: Annotated[Certainty | None, "low: do not rely on the label, for the `reasons`. null at NO FACE."]
    reasons: Annotated[list[str], "Why the certainty is low; empty where it is high."]
    threshold: Annotated[float, "The confidence from which the label is FAKE."]
    model: Model
    networks: Annotated[dict[str, float] | None, "Mean probability of FAKE that each network gave, by its role."]
    contributions: Annotated[
        dict[str, float] | None,
        "What each network, and the intercept, adds to the verdict: logits, positive toward FAKE.",
    ]
    media: MediaInfo
    tracks: list[TrackResult]
    frames: list[FrameResult]
    warnings: Annotated[list[str], "What of the file could not be looked at, in sentences."]
    provenance: Provenance
    method: Annotated[dict[str, str], "How the file was looked at."]
    analysed_at: Annotated[str, "ISO 8601, UTC."]
    timing_s: Timing


@dataclass(frozen=True)
class Accepted:
    """The file is one that can be analysed."""

    file_type: Literal["image", "video"]
    media: MediaInfo
    frames: Annotated[int, "How many will be looked at."]


@dataclass(frozen=True)
class Progress:
    """How many of the frames were decoded, searched for faces, and are done: answered by the networks."""

    done: int
    total: int
    decoded: int
    searched: int


Event = Accepted | Progress | FrameResult | Result
Events = Generator[Event, None, None]  # closing it stops the work
EVENT_NAMES = {Accepted: "accepted", Progress: "progress", FrameResult: "frame", Result: "result"}


def without_pictures(result: Result) -> Result:
    """The result without its maps and thumbnails, which are most of its size."""
    frames = [
        replace(frame, thumbnail=None, faces=[replace(face, heatmap=None) for face in frame.faces])
        for frame in result.frames
    ]
    return replace(result, frames=frames)


def to_dict(value: Any) -> dict[str, Any]:
    """A result or event as plain JSON types."""
    return _without_optional_media(asdict(value))


def _without_optional_media(value: Any) -> Any:
    """Leaves out maps and thumbnails that were not asked for."""
    if isinstance(value, dict):
        return {
            key: _without_optional_media(item)
            for key, item in value.items()
            if not (item is None and key in ("heatmap", "thumbnail"))
        }
    if isinstance(value, (list, tuple)):
        return [_without_optional_media(item) for item in value]
    return value
