"""What can go wrong in an export, besides the bundle."""


class ExportError(Exception):
    """One sentence for people: what was wrong and what to do."""
