"""What an analysis says: the one form from which JSON, OpenAPI, table and report follow.

A `Meta` beside a field is what OpenAPI says of it, and the bounds that a result read back from JSON must keep to.
"""

from collections.abc import Generator
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, Literal

from deepfake_contract.tensors import MAP_SIDE
from msgspec import Meta

from deepfake_client.media.facts import MediaInfo, Provenance

Label = Literal["REAL", "FAKE", "NO FACE"]
Certainty = Literal["high", "low"]
Probability = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0)]
Length = Annotated[float, Meta(ge=0)]
Region = tuple[float, float, Length, Length]
Cells = Annotated[list[float], Meta(min_length=MAP_SIDE, max_length=MAP_SIDE)]
Heatmap = Annotated[list[Cells], Meta(min_length=MAP_SIDE, max_length=MAP_SIDE)]
Thumbnail = Annotated[str, Meta(pattern="^data:image/jpeg;base64,[A-Za-z0-9+/]+={0,2}$")]


@dataclass(frozen=True)
class Model:
    """Which detector answered."""

    name: str
    version: str
    digest: Annotated[str, Meta(description="SHA-256 over the files of its bundle.")]
    titles: Annotated[dict[str, str], Meta(description="What to call each network, by its name.")]
    architectures: Annotated[dict[str, str], Meta(description="Architecture of each network, by its name.")]
    false_positive_rate: Annotated[
        Probability | None,
        Meta(
            description="Share of real ones that reached the threshold, among held-out pictures of the kinds "
            "it learnt from; null where it was not measured."
        ),
    ]


@dataclass(frozen=True)
class FaceResult:
    """One face in one frame. With the frame policy box and crop are the whole frame, and score and track are null."""

    track: Annotated[int | None, Meta(description="The `id` of its track.")]
    box: Annotated[
        Region, Meta(description="Where the face is: x, y, width, height in pixels of the picture as shown.")
    ]
    crop: Annotated[Region, Meta(description="What the networks saw: x, y, width, height, as `box`.")]
    score: Annotated[Probability | None, Meta(description="How surely this is a face, as the face detector says.")]
    confidence: Annotated[Probability, Meta(description="Probability of FAKE for this face.")]
    networks: Annotated[
        dict[str, Probability], Meta(description="Probability of FAKE that each network gave, by its name.")
    ]
    heatmap: Annotated[
        Heatmap | None,
        Meta(description="What that comes from: 7 rows of 7 logits over `crop`, positive toward FAKE."),
    ] = None
    cut: Annotated[
        bool, Meta(description="Whether the picture's edge cuts it: it decides only where no whole face is seen.")
    ] = False


@dataclass(frozen=True)
class FrameResult:
    """One frame analysed."""

    index: Annotated[Count, Meta(description="Counts the clip's frames from 0, as they are shown.")]
    time_s: Annotated[Seconds, Meta(description="Seconds from the clip's start; 0 for a picture.")]
    confidence: Annotated[
        Probability | None,
        Meta(
            description="Probability of FAKE for the face that decides, corrected for how many faces were looked at; "
            "null without a face."
        ),
    ]
    faces: list[FaceResult]
    deciding: Annotated[
        Count | None,
        Meta(
            description="Which of `faces` decides, from 0: the one of the highest `confidence` among those that the "
            "picture's edge does not cut, if there are any. null without a face."
        ),
    ]
    thumbnail: Annotated[Thumbnail | None, Meta(description="A JPEG as data URI.")] = None

    @property
    def deciding_face(self) -> FaceResult | None:
        return None if self.deciding is None else self.faces[self.deciding]


@dataclass(frozen=True)
class TrackResult:
    """One person followed through the clip."""

    id: int
    confidence: Annotated[Probability, Meta(description="Mean over the frames that show them.")]
    frames: Annotated[Count, Meta(description="How many of the analysed frames show them.")]
    first_s: Annotated[Seconds, Meta(description="When they are seen first, seconds from the clip's start.")]
    last_s: Annotated[Seconds, Meta(description="When they are seen last, seconds from the clip's start.")]


@dataclass(frozen=True)
class Timing:
    """Seconds in which each stage was under way. Stages overlap, so they may add up to more than the total."""

    probe: Annotated[Seconds, Meta(description="Seconds in which the file was opened.")]
    decode: Annotated[Seconds, Meta(description="Seconds in which frames were decoded.")]
    faces: Annotated[Seconds, Meta(description="Seconds in which faces were searched for.")]
    networks: Annotated[Seconds, Meta(description="Seconds in which the networks were asked.")]
    total: Annotated[Seconds, Meta(description="Seconds from the start of the analysis to its end.")]


@dataclass(frozen=True)
class Result:
    """The answer for one file."""

    file_type: Literal["image", "video"]
    frames_processed: Annotated[Count, Meta(description="How many frames were analysed; 1 for a picture.")]
    confidence: Annotated[
        Probability | None,
        Meta(
            description="Probability of FAKE: mean over the frames with a face, each with its deciding one. null at NO "
            "FACE."
        ),
    ]
    label: Annotated[
        Label,
        Meta(description="FAKE from the threshold on; REAL says only that little sign of manipulation was found."),
    ]
    certainty: Annotated[
        Certainty | None, Meta(description="low: do not rely on the label, for the `reasons`. null at NO FACE.")
    ]
    reasons: Annotated[list[str], Meta(description="Why the certainty is low; empty where it is high.")]
    threshold: Annotated[Probability, Meta(description="The confidence from which the label is FAKE.")]
    model: Model
    networks: Annotated[
        dict[str, Probability] | None,
        Meta(description="Mean probability of FAKE that each network gave, by its name. null at NO FACE."),
    ]
    contributions: Annotated[
        dict[str, float] | None,
        Meta(
            description="What each network, the intercept and, where several were looked at, the number of `faces` add "
            "to the verdict: logits, positive toward FAKE."
        ),
    ]
    media: MediaInfo
    tracks: list[TrackResult]
    frames: list[FrameResult]
    warnings: Annotated[list[str], Meta(description="What of the file could not be analysed, in sentences.")]
    provenance: Provenance
    method: Annotated[dict[str, str], Meta(description="How the file was analysed.")]
    analysed_at: Annotated[str, Meta(description="ISO 8601, UTC.")]
    timing_s: Timing


@dataclass(frozen=True)
class Accepted:
    """The file is one that can be analysed."""

    file_type: Literal["image", "video"]
    media: MediaInfo
    frames: Annotated[int, Meta(description="How many frames will be analysed.")]


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
    return replace(result, frames=[frame_without_pictures(frame) for frame in result.frames])


def frame_without_pictures(frame: FrameResult) -> FrameResult:
    """The same of one frame."""
    return replace(frame, thumbnail=None, faces=[replace(face, heatmap=None) for face in frame.faces])


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
