"""Text from files and strangers as plain text: on a terminal, on a page, in a spreadsheet."""

# With these a spreadsheet begins a formula (OWASP, CSV Injection), or skips to a cell that does.
FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")


def plain(text: str) -> str:
    """Text that can't move a cursor, break a line or turn text round: such characters escaped."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)


def spreadsheet_safe(text: str) -> str:
    """A cell that a spreadsheet shows and does not calculate: an apostrophe before what would begin a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
