"""How much a file may say of itself: short plain text, on its way out of the decoding process and on its way in."""

from typing import Any, get_args, get_type_hints

from deepfake_client.media.facts import Credentials

MAX_CHARACTERS = 300  # of one text
MAX_READ = 8 * MAX_CHARACTERS  # of a text that is longer, so that a megabyte is no work
MAX_PROBLEMS = 8  # with the texts, well under a message's 64 KiB, whatever the characters
TAGS = ("camera", "lens", "software", "encoder", "handler", "taken_at", "artist", "description", "comment", "generator")
STATES = get_args(get_type_hints(Credentials)["state"])


def one_line(text: str) -> str:
    """The text on one line: spaces single, what can't be seen as �, what is too long cut off with …; may be empty."""
    words = " ".join(text[:MAX_READ].replace("\0", " ").split())
    seen = "".join(each if each.isprintable() else "�" for each in words)
    return seen if len(seen) <= MAX_CHARACTERS else seen[: MAX_CHARACTERS - 1].rstrip() + "…"


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


def _is_one_line(text: Any) -> bool:
    return isinstance(text, str) and text != "" and one_line(text) == text
