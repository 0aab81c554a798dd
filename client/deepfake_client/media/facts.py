"""What is known of a file without looking for faces: how it is stored, and what it says of itself."""

from dataclasses import dataclass, field
from typing import Literal

Says = Literal[
    "generated",
    "partly_generated",
    "partly_synthetic",
    "composite",
    "edited",
    "computed",
    "drawn",
    "screen",
    "event",
    "digitised",
    "captured",
    "origin",
]
Source = Literal["c2pa", "iptc", "generator", "xmp", "tags"]
Signature = Literal["none", "broken", "not_checked", "unknown_signer", "trusted"]


@dataclass(frozen=True)
class MediaInfo:
    """What the file is: as probed, not as named. `width` and `height` are pixels as shown: upright, and square,
    whatever shape they are stored in. `duration_s` (seconds) and `frame_rate` (frames per second) are null for
    a picture."""

    sha256: str
    bytes: int
    container: str
    codec: str
    width: int
    height: int
    duration_s: float | None
    frame_rate: float | None


@dataclass(frozen=True)
class Credentials:
    """Content Credentials (C2PA). `none`: the file has none; that proves nothing. With the problem
    `manifest.inaccessible` it names some at another place, where nobody looked. `broken`: what is signed is not what
    the file holds, or can't be read; `problems` says why, in the standard's codes, after `general.error:` in words.
    `unknown_signer`: intact, but `trust_list` (the file's name) does not know who signed, or there is no list.
    `trusted`: intact, and it does. `signer` and `software` (the claim's generator) are what the credentials say,
    `signed_at` as ISO 8601; null where they say nothing."""

    state: Literal["none", "broken", "unknown_signer", "trusted"]
    signer: str | None
    software: str | None
    signed_at: str | None
    trust_list: str | None
    problems: list[str]


NO_CREDENTIALS = Credentials("none", None, None, None, None, [])


@dataclass(frozen=True)
class Said:
    """Something that a file says of how it came about, as it is read; a Declaration has what is known of it, too."""

    says: Says
    source: Source
    by: str | None = None
    at: str | None = None
    ingredient: bool = False


@dataclass(frozen=True, kw_only=True)
class Declaration(Said):
    """Something that the file says of how it came about; no part of the probability. `says` is what, `by` the program
    or camera and `at` the time (ISO 8601), null where it names none; of itself, or of an `ingredient` that it was made
    from. `source`: Content Credentials (`c2pa`), IPTC's digital source type, the details that a known `generator`
    writes, `xmp`, or EXIF and other `tags`. `signature`: `none`, as all but Content Credentials are; `broken`, which
    proves nothing; intact and `not_checked` for want of a trust list, of an `unknown_signer`, or `trusted`. `sentence`
    says all of it to people."""

    signature: Signature
    sentence: str


@dataclass(frozen=True)
class Provenance:
    """What the file says of itself: no part of the probability, and no proof. `tags` are texts as the file has them,
    such as `camera` and `software`, each on one line of at most 300 characters; never where it was taken. `declared` is
    what it says of how it came about, what concerns generative AI first."""

    tags: dict[str, str]
    credentials: Credentials
    declared: list[Declaration] = field(default_factory=list)
