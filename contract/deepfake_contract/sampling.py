"""Which frames of a clip are analysed: the grammar of a policy's `sampling`."""

import re

EVEN = "even"
FORMS = '"even" or "every_nth:5"'
_EVERY_NTH = re.compile(r"every_nth:([1-9][0-9]{0,5})")


def step_of(sampling: str) -> int | None:
    """None for "even" (spread over the whole clip), N for "every_nth:N" (each Nth frame from the clip's start).

    ValueError for anything else.
    """
    if sampling == EVEN:
        return None
    match = _EVERY_NTH.fullmatch(sampling)
    if match is None:
        raise ValueError(f"sampling must be {FORMS}, but is {sampling!r}")
    return int(match[1])
