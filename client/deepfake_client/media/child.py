"""The decoding process: reads one file that it was handed, sends frames, may do nothing else.

Started as `python -m deepfake_client.media.child REQUEST`, a Request as JSON; messages and pixels go to its output.
"""

import faulthandler
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict

from deepfake_contract.errors import DamagedMediaError, DeepfakeError, TooLargeError

from deepfake_client.media import credentials, rights, sandbox
from deepfake_client.media.blame import is_the_files, trace
from deepfake_client.media.frame import Frame, Opened, Request
from deepfake_client.media.outbox import Outbox
from deepfake_client.media.wire import pack

OWN_FAULT = "The decoder failed at this file by a fault of its own; the log says where."

Part = Opened | Frame | str  # a string is a warning


def main(request: Request) -> None:
    """Reads what is asked for and sends it, then says that it is the end, or what went wrong."""
    os.set_inheritable(request.fd, False)
    logging.disable()  # libraries warn of files in the files' own words
    faulthandler.enable()
    sandbox.end_with(lifeline=0)
    sandbox.limit(request.memory_bytes, request.cpu_s)
    outbox = Outbox(_private_output())
    try:
        # Until here nothing was decoded: the search for credentials only compares bytes.
        read, read_credentials = _reader(request), credentials.prepared(request)
        rights.drop()
        sandbox.end_with(lifeline=0)  # anew: the kernel asks whether who asked for the signal may send it to us
        sandbox.lock_down()
        found, said = read_credentials()
        outbox.put(pack({"credentials": asdict(found)}))
        outbox.put(pack({"signed": [asdict(each) for each in said]}))
        for part in read(request):
            _send(part, outbox)
        outbox.put(pack({"end": True}))
    except MemoryError:
        text = (
            f"Decoding needs more memory than {request.memory_bytes >> 20:,} MiB (DEEPFAKE_DECODER_MEMORY_BYTES). "
            "Send a smaller file."
        )
        outbox.put(pack({"error": TooLargeError.__name__, "text": text}))
    except Exception as error:  # what a decoder raises on a hostile file is anyone's guess
        outbox.put(pack(_told(error)))
    outbox.close()


def _told(error: Exception) -> dict[str, str]:
    """The message about a failure; one of our own goes to standard error too, for the log."""
    if isinstance(error, DeepfakeError) and is_the_files(error):
        return {"error": type(error).__name__, "text": str(error)}
    if is_the_files(error):
        text = "The file could not be decoded: it is damaged, or of a kind that is not read here."
        return {"error": DamagedMediaError.__name__, "text": text}
    with suppress(OSError):
        os.write(2, trace(error).encode())
    return {"error": DeepfakeError.__name__, "text": OWN_FAULT}


def _reader(request: Request) -> Callable[[Request], Iterator[Part]]:
    """The reader of a kind of file; imported only here, because each takes a while."""
    if request.reader == "picture":
        from deepfake_client.media import pictures

        return pictures.read
    from deepfake_client.media import videos

    return videos.read


def _send(part: Part, outbox: Outbox) -> None:
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


if __name__ == "__main__":
    main(Request(**json.loads(sys.argv[1])))
