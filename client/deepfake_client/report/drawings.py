"""Where things lie in the report's drawings. Places are percent of a drawing's width and height, so that it can be
stretched while its text and its marks keep their size."""

import math
from collections import defaultdict
from dataclasses import dataclass

from deepfake_client.results import FaceResult, FrameResult, Result

TICKS = 6  # most labels along the time axis
STEPS_S = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)


@dataclass(frozen=True)
class Bar:
    """A value to the left or the right of the middle."""

    x: float
    width: float


@dataclass(frozen=True)
class Line:
    """One followed face through the clip: its points (x, y), in order of time. `number` counts the lines from 0."""

    number: int
    track: int | None
    points: list[tuple[float, float]]


@dataclass(frozen=True)
class Timeline:
    """Probability against time. `faceless` are the places of frames without a face, `ticks` places in seconds."""

    lines: list[Line]
    faceless: list[float]
    ticks: list[tuple[float, float]]


def bars(values: dict[str, float]) -> dict[str, Bar]:
    """The largest value reaches from the middle to the edge."""
    most = max(map(abs, values.values()), default=0.0) or 1.0
    shares = {name: 50 * (value / most) for name, value in values.items()}
    return {name: Bar(50 + min(0.0, share), abs(share)) for name, share in shares.items()}


def timeline(result: Result) -> Timeline:
    """A clip's frames from its start to its end, or to the last frame where the end is not known."""
    span = max([result.media.duration_s or 0.0, *(frame.time_s for frame in result.frames)]) or 1.0
    points: dict[int | None, list[tuple[float, float]]] = defaultdict(list)
    for frame in result.frames:
        for face in frame.faces:
            points[face.track].append((100 * (frame.time_s / span), 100 * (1 - face.confidence)))
    tracks = sorted(points, key=lambda track: track or 0)
    lines = [Line(number, track, points[track]) for number, track in enumerate(tracks)]
    faceless = [100 * (frame.time_s / span) for frame in result.frames if not frame.faces]
    return Timeline(lines, faceless, _ticks(span))


def _ticks(span: float) -> list[tuple[float, float]]:
    step = next((each for each in STEPS_S if span / each < TICKS), span)
    return [(100 * at * (step / span), at * step) for at in range(math.floor(span / step) + 1)]


def weightiest(frames: list[FrameResult], most: int) -> list[FrameResult]:
    """The frames with the highest probability first; where no frame has a face, the first one alone."""
    decided = [frame for frame in frames if frame.confidence is not None]
    return sorted(decided, key=lambda frame: -(frame.confidence or 0.0))[:most] or frames[:1]


def close_up(frame: FrameResult, width: int, height: int) -> FaceResult | None:
    """The face that decides a frame of width × height pixels, where it is too small in it to be seen well."""
    face = frame.deciding_face
    return face if face and face.crop[2] * face.crop[3] < 0.5 * width * height else None
