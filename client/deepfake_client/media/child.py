"""The decoding process: reads one file that it was handed, sends frames, may do nothing else.

Started as `python -m deepfake_client.media.child REQUEST`, a Request as JSON; messages and pixels go to its output.
"""

import json
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict

from deepfake_client.errors import DamagedMediaError, DeepfakeError, TooLargeError
from deepfake_client.media import credentials, sandbox
from deepfake_client.media.frame import Frame, Opened, Request
from deepfake_client.media.wire import pack, write_all

AHEAD_BYTES = 64 << 20  # decoded and not yet taken; one frame may be larger

Part = Opened | Frame | str  # a string is a warning


def main(request: Request) -> None:
    """Reads what is asked for and sends it, then says that it is the end, or what went wrong."""
    os.set_inheritable(request.fd, False)
    sandbox.end_with(lifeline=0)
    sandbox.limit(request.memory_bytes, request.cpu_s)
    outbox = Outbox(_private_output())
    try:
        read, read_credentials = _reader(request), credentials.prepared(request)
        sandbox.lock_down()
        outbox.put(pack({"credentials": asdict(read_credentials())}))
        for part in read(request):
            _send(part, outbox)
        outbox.put(pack({"end": True}))
    except DeepfakeError as error:
        outbox.put(pack({"error": type(error).__name__, "text": str(error)}))
    except MemoryError:
        text = (
            f"Decoding needs more memory than {request.memory_bytes >> 20:,} MiB (DEEPFAKE_DECODER_MEMORY_BYTES). "
            "Send a smaller file."
        )
        outbox.put(pack({"error": TooLargeError.__name__, "text": text}))
    except Exception as error:  # what a decoder raises on a hostile file is anyone's guess
        text = f"The file could not be decoded ({type(error).__name__}). It is damaged, or of a kind not read here."
        outbox.put(pack({"error": DamagedMediaError.__name__, "text": text}))
    outbox.close()


def _reader(request: Request) -> Callable[[Request], Iterator[Part]]:
    """The reader of a kind of file; imported only here, because each takes a while."""
    if request.reader == "picture":
        from deepfake_client.media import pictures

        return pictures.read
    from deepfake_client.media import videos

    return videos.read


def _send(part: Part, outbox: "Outbox") -> None:
    if isinstance(part, Opened):
        outbox.put(pack({"opened": asdict(part)}))
    elif isinstance(part, str):
        outbox.put(pack({"warning": part}))
    else:
        height, width, _ = part.image.shape
        header = {"index": part.index, "time_s": part.time_s, "width": width, "height": height}
        outbox.put(pack({"frame": header}), part.image.data)


def _private_output() -> int:
    """Our output under a number of its own; what libraries print to the usual one goes where errors go."""
    output = os.dup(1)
    os.dup2(2, 1)
    return output


class Outbox:
    """Writes in the background, so that decoding goes on while the other side is busy; bounded in bytes."""

    def __init__(self, descriptor: int):
        self._descriptor = descriptor
        self._waiting: deque[bytes | memoryview | None] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._writer.start()

    def put(self, *parts: bytes | memoryview) -> None:
        """Hands over a message and its pixels; waits while too much is waiting already."""
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


if __name__ == "__main__":
    main(Request(**json.loads(sys.argv[1])))
