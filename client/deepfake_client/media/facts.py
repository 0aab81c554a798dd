"""What is known of a file without looking for faces: how it is stored, and what it says of itself."""

from dataclasses import dataclass
from typing import Literal


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
class Provenance:
    """What the file says of itself: no part of the probability, and no proof. `tags` are texts as the file has them,
    such as `camera` and `software`, each on one line of at most 300 characters; never where it was taken."""

    tags: dict[str, str]
    credentials: Credentials
