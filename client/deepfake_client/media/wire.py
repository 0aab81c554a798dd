"""How the decoding process talks to us: a line of JSON for each message, raw pixels after a frame's."""

import json
import os
import select
from typing import Any

from deepfake_contract.errors import DeadlineError

MAX_LINE_BYTES = 64 * 1024


class Closed(Exception):
    """The other side is gone in the middle of what it said."""


def pack(message: dict[str, Any]) -> bytes:
    """The line for a message of plain JSON types."""
    return json.dumps(message).encode() + b"\n"


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Writes every byte, however many calls it takes."""
    view = memoryview(data).cast("B")
    while view:
        view = view[os.write(descriptor, view) :]


class Reader:
    """Reads messages and pixels from a pipe; what comes from it is not trusted: lengths are bounded.

    `patience_s` is the longest silence before DeadlineError; Closed is raised when the pipe ends.
    """

    def __init__(self, descriptor: int, patience_s: float):
        self._descriptor = descriptor
        self._patience_s = patience_s
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)
        self._ahead = b""  # read already, belongs to what comes next

    def message(self) -> dict[str, Any]:
        """The next message."""
        while b"\n" not in self._ahead:
            if len(self._ahead) > MAX_LINE_BYTES:
                raise Closed("no end of line")
            self._wait()
            more = os.read(self._descriptor, MAX_LINE_BYTES)
            if not more:
                raise Closed("end of the pipe")
            self._ahead += more
        line, self._ahead = self._ahead.split(b"\n", 1)
        try:
            message = json.loads(line)
        except (ValueError, RecursionError) as cause:
            raise Closed("not JSON") from cause
        if not isinstance(message, dict):
            raise Closed("not a message")
        return message

    def fill(self, target: memoryview) -> None:
        """Fills a writable byte view."""
        taken = min(len(self._ahead), len(target))
        target[:taken] = self._ahead[:taken]
        self._ahead = self._ahead[taken:]
        while taken < len(target):
            self._wait()
            count = os.readv(self._descriptor, [target[taken:]])
            if not count:
                raise Closed("end of the pipe")
            taken += count

    def _wait(self) -> None:
        if not self._poll.poll(self._patience_s * 1000):
            raise DeadlineError(f"The decoder said nothing for {self._patience_s:g} seconds; it was stopped.")
