"""What an analysis says: the one form from which JSON, OpenAPI, table and report follow."""

from collections.abc import Generator
from dataclasses import asdict, dataclass
from typing import Any, Literal

Label = Literal["REAL", "FAKE", "NO FACE"]
Certainty = Literal["high", "low"]
Box = tuple[float, float, float, float]  # x, y, width, height in pixels of the picture as shown


@dataclass(frozen=True)
class Model:
    """Which detector answered. `false_positive_rate` is the one measured at the threshold, None where unknown."""

    name: str
    version: str
    digest: str
    architectures: dict[str, str]
    false_positive_rate: float | None


@dataclass(frozen=True)
class MediaInfo:
    """What the file is: as probed, not as named. Width and height in pixels as shown, after rotation."""

    sha256: str
    bytes: int
    container: str
    codec: str
    width: int
    height: int
    duration_s: float | None
    frame_rate: float | None


@dataclass(frozen=True)
class FaceResult:
    """One face in one frame. `crop` is what the networks saw; `heatmap` (7 rows of 7, logits, positive toward FAKE)
    lies over it. With the frame policy box and crop are the whole frame, and score and track are None."""

    track: int | None
    box: Box
    crop: Box
    score: float | None
    confidence: float
    networks: dict[str, float]
    heatmap: list[list[float]] | None = None


@dataclass(frozen=True)
class FrameResult:
    """One frame looked at. `index` counts the clip's frames from 0 as they are shown; `confidence` is the highest of
    its faces, None without a face; `thumbnail` a JPEG data URI."""

    index: int
    time_s: float
    confidence: float | None
    faces: list[FaceResult]
    thumbnail: str | None = None


@dataclass(frozen=True)
class TrackResult:
    """One person followed through the clip; `frames` is the number of sampled frames that show them."""

    id: int
    confidence: float
    frames: int
    first_s: float
    last_s: float


@dataclass(frozen=True)
class Credentials:
    """Content Credentials (C2PA). `none`: the file has none. `broken`: what is signed is not what the file holds, or
    can't be read; `problems` says why, in the standard's codes. `unknown_signer`: intact, but `trust_list` does not
    know who signed, or there is no list. `trusted`: intact, and it does. `signer` and `software` (the claim's
    generator) are what the credentials say, `signed_at` as ISO 8601; None where they say nothing."""

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
    such as `camera` and `software`."""

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
    """The answer for one file. `confidence` is the probability of FAKE; None, with `certainty`, at NO FACE.
    `analysed_at` is ISO 8601, UTC; `method` is how the file was looked at."""

    file_type: Literal["image", "video"]
    frames_processed: int
    confidence: float | None
    label: Label
    certainty: Certainty | None
    reasons: list[str]
    threshold: float
    model: Model
    networks: dict[str, float] | None
    contributions: dict[str, float] | None
    media: MediaInfo
    tracks: list[TrackResult]
    frames: list[FrameResult]
    warnings: list[str]
    provenance: Provenance
    method: dict[str, str]
    analysed_at: str
    timing_s: Timing


@dataclass(frozen=True)
class Accepted:
    """The file is one that can be analysed: what it is, and how many frames will be looked at."""

    file_type: Literal["image", "video"]
    media: MediaInfo
    frames: int


@dataclass(frozen=True)
class Progress:
    """Frames done, of how many."""

    done: int
    total: int


Event = Accepted | Progress | FrameResult | Result
Events = Generator[Event, None, None]  # closing it stops the work
EVENT_NAMES = {Accepted: "accepted", Progress: "progress", FrameResult: "frame", Result: "result"}


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
