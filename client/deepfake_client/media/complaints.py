"""What a process writes to its standard error, as a text that a log can take."""

import os

MAX_LINES = 50  # the last ones
MAX_CHARACTERS = 400  # of a line
PIPE_BYTES = 1 << 16  # what is read at most


class Complaints:
    """The pipe that a process gets as its standard error; what it can't hold is dropped, so that nobody waits."""

    def __init__(self) -> None:
        self._reading, self.writing = os.pipe()
        for each in (self._reading, self.writing):
            os.set_blocking(each, False)

    def handed_over(self) -> None:
        """The process has its end; ours is closed."""
        os.close(self.writing)

    def end(self) -> str:
        """What was written, empty for nothing; closes the pipe."""
        try:
            return as_text(os.read(self._reading, PIPE_BYTES))
        except BlockingIOError:
            return ""
        finally:
            os.close(self._reading)


def as_text(data: bytes) -> str:
    """The last lines, each cut where it is long, with escapes for what can't be seen: a file may have written them."""
    lines = data.decode("utf-8", "backslashreplace").split("\n")
    while lines and not lines[-1]:
        lines.pop()
    return "\n".join(_visible(line[:MAX_CHARACTERS]) for line in lines[-MAX_LINES:])


def _visible(line: str) -> str:
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in line)
