"""What the decoding process has to say, written while it decodes on."""

import os
import threading
from collections import deque

from deepfake_client.media.wire import write_all

AHEAD_BYTES = 64 << 20  # decoded and not yet taken; one frame may be larger


class Outbox:
    """Writes in the background, so that decoding goes on while the other side is busy; bounded in bytes."""

    def __init__(self, descriptor: int):
        self._descriptor = descriptor
        self._waiting: deque[bytes | memoryview | None] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._writer = threading.Thread(target=self._write, daemon=True)

    def put(self, *parts: bytes | memoryview) -> None:
        """Hands over a message and its pixels; waits while too much is waiting already."""
        if self._writer.ident is None:  # started no earlier: a thread keeps the rights that it began with
            self._writer.start()
        size = sum(memoryview(part).nbytes for part in parts)
        with self._changed:
            self._changed.wait_for(lambda: not self._bytes or self._bytes + size <= AHEAD_BYTES)
            self._bytes += size
            self._waiting.extend(parts)
            self._changed.notify_all()

    def close(self) -> None:
        """Waits until everything is written."""
        with self._changed:
            self._waiting.append(None)
            self._changed.notify_all()
        self._writer.join()

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                part = self._waiting.popleft()
            if part is None:
                return
            try:
                write_all(self._descriptor, part)
            except Exception:  # nobody reads any more, or pixels that can't be sent: no reason to stay
                os._exit(1)
            with self._changed:
                self._bytes -= memoryview(part).nbytes
                self._changed.notify_all()
