"""How much a file may say of itself: short plain text, on its way out of the decoding process and on its way in."""

import re
from collections.abc import Iterable
from typing import Any, get_args, get_type_hints

from deepfake_client.media.facts import Credentials, Declaration, Said, Source
from deepfake_client.media.sentences import SAYS, declaration

MAX_CHARACTERS = 300  # of one text
MAX_READ = 8 * MAX_CHARACTERS  # of a text that is longer, so that a megabyte is no work
MAX_PROBLEMS = 8  # with the texts, well under a message's 64 KiB, whatever the characters
MAX_DECLARED = 8  # of those with a signature, and as many of those without
MAX_BY = 100  # characters of a program's or camera's name in one
TAGS = ("camera", "lens", "software", "encoder", "handler", "taken_at", "artist", "description", "comment", "generator")
STATES = get_args(get_type_hints(Credentials)["state"])
SOURCES = get_args(Source)
MOMENT = re.compile(  # ISO 8601, and EXIF's colons in the date; what is finer than a second is left out
    r"(\d{4})[-:](\d\d)[-:](\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.\d+)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII
)


def one_line(text: str, most: int = MAX_CHARACTERS) -> str:
    """The text on one line: spaces single, what can't be seen as �, what is over `most` characters cut off with …; may
    be empty."""
    words = " ".join(text[:MAX_READ].replace("\0", " ").split())
    seen = "".join(each if each.isprintable() else "�" for each in words)
    return seen if len(seen) <= most else seen[: most - 1].rstrip() + "…"


def name(*texts: Any) -> str | None:
    """What a declaration is made with: the texts that there are, short, between commas."""
    return one_line(", ".join(filter(None, (each for each in texts if isinstance(each, str)))), MAX_BY) or None


def moment(text: Any) -> str | None:
    """A time as ISO 8601, None for what is none."""
    found = MOMENT.fullmatch(text.strip()) if isinstance(text, str) and len(text) < MAX_BY else None
    if not found:
        return None
    year, month, day, time, zone = found.groups()
    return f"{year}-{month}-{day}" + (f"T{time}{zone or ''}" if time else "")


def bounded(said: Iterable[Said]) -> list[Said]:
    """Each thing once, with the time that came last, in the order of SAYS, and no more than MAX_DECLARED."""
    last = {(each.says, each.source, each.by, each.ingredient): each for each in said}
    order = list(SAYS)
    return sorted(last.values(), key=lambda each: order.index(each.says))[:MAX_DECLARED]


def checked_tags(said: Any) -> dict[str, str]:
    """Tags as another process sent them; ValueError for what `one_line` and TAGS do not allow."""
    if not isinstance(said, dict) or not all(name in TAGS and _is_one_line(text) for name, text in said.items()):
        raise ValueError("not tags")
    return said


def checked_credentials(said: Any, trust_list: str | None) -> Credentials:
    """Credentials as another process sent them, which was given the list of that name; ValueError or TypeError for
    what can't be."""
    credentials = Credentials(**said)
    texts = (credentials.signer, credentials.software, credentials.signed_at)
    problems = credentials.problems
    if not (
        credentials.state in STATES
        and all(text is None or _is_one_line(text) for text in texts)
        and isinstance(problems, list)
        and len(problems) <= MAX_PROBLEMS
        and all(map(_is_one_line, problems))
        and credentials.trust_list in (None, trust_list)
        and (credentials.state != "trusted" or credentials.trust_list)
    ):
        raise ValueError("not credentials")
    return credentials


def checked_said(said: Any, signed: bool) -> list[Said]:
    """What a file says, with a signature or without, as another process sent it; ValueError or TypeError for what
    `bounded`, `name` and `moment` do not allow."""
    if not isinstance(said, list) or len(said) > MAX_DECLARED:
        raise ValueError("not a list")
    found = [Said(**each) for each in said]
    for each in found:
        if not (
            each.says in SAYS
            and each.source in SOURCES
            and (each.source == "c2pa") == signed
            and (each.by is None or _is_one_line(each.by, MAX_BY))
            and (each.at is None or moment(each.at) == each.at)
            and isinstance(each.ingredient, bool)
            and (signed or not each.ingredient)
        ):
            raise ValueError("not a declaration")
    return found


def declarations(said: Iterable[Said], credentials: Credentials) -> list[Declaration]:
    """All that was said, what concerns generative AI first."""
    order = list(SAYS)
    return [declaration(each, credentials) for each in sorted(said, key=lambda each: order.index(each.says))]


def _is_one_line(text: Any, most: int = MAX_CHARACTERS) -> bool:
    return isinstance(text, str) and text != "" and one_line(text, most) == text
