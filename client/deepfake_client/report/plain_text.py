"""Text from files and strangers as plain text: on a terminal, on a page, in a spreadsheet."""

import os
import re
from pathlib import Path

# Controls, line and paragraph separators, what turns text round (Bidi_Control, Unicode Standard Annex 9), and lone
# surrogates; the page's script escapes the same. Spaces and joiners of any writing stay.
NOT_PLAIN = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
# With these a spreadsheet begins a formula (OWASP, CSV Injection), or skips to a cell that does.
FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")


def shown(path: Path) -> str:
    """A file's name as plain text, also where it is not UTF-8."""
    return plain(as_text(path))


def as_text(path: Path) -> str:
    """A file's name as it is, but for bytes that are not UTF-8, which no JSON can carry: those escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def plain(text: str) -> str:
    """Text that can't move a cursor, break a line or turn text round: such characters escaped."""
    return NOT_PLAIN.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def spreadsheet_safe(text: str) -> str:
    """A cell that a spreadsheet shows and does not calculate: an apostrophe before what would begin a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
