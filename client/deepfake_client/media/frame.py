"""One decoded picture of a file, and what is known of the file once it is open."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from deepfake_client.media.facts import Said

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Frame:
    """`index` counts the frames from 0 as they are shown; `time_s` is when it is shown, seconds from the start;
    `image` is uint8 [H, W, 3], RGB, upright as shown."""

    index: int
    time_s: float
    image: "np.ndarray"


@dataclass(frozen=True)
class Opened:
    """What a file turned out to be. Width and height in pixels as shown; `frames` is how many frames will come; `tags`
    and what is `declared` without a signature are what it says of itself; `truncated` is a picture that a part is
    missing of."""

    kind: Literal["image", "video"]
    codec: str
    width: int
    height: int
    duration_s: float | None
    frame_rate: float | None
    frames: int
    tags: dict[str, str]
    truncated: bool = False
    declared: list[Said] = field(default_factory=list)


@dataclass(frozen=True)
class Request:
    """What the decoding process is to read, and how much of it: `fd` is the open file, `format` the name that Pillow
    or FFmpeg has for what the content was found to be, `trust_list` the whole path of a PEM file, or empty."""

    fd: int
    reader: Literal["picture", "video"]
    format: str
    sampling: str
    frames: int
    max_pixels: int
    max_duration_s: float
    memory_bytes: int
    cpu_s: int
    trust_list: str
