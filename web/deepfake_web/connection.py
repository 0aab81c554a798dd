"""The client's connection under a request: whether it is still there, and how long it may keep us waiting.

gunicorn hands the socket over in the WSGI environment; under another server nothing here has an effect.
"""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from gunicorn.http.errors import ParseException

Environ = dict[str, Any]
DRAIN_S = 5.0  # longest that a refused upload is still read
CHUNK = 64 * 1024  # bytes


@contextmanager
def reading(environ: Environ, seconds: float) -> Iterator[None]:
    """Bounds the time for what is read inside: TimeoutError when it is over."""
    connection = environ.get("gunicorn.socket")
    if connection is None:
        yield
        return
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RD)

    # The socket's own time-out starts anew with each byte: a client that drips needs a clock of its own.
    clock = threading.Timer(seconds, expire)
    clock.daemon = True
    clock.start()
    try:
        yield
    except Exception as cause:
        if expired.is_set():
            raise TimeoutError from cause
        raise
    finally:
        clock.cancel()
    if expired.is_set():
        raise TimeoutError


def drain(environ: Environ) -> None:
    """Reads on after a refusal: a connection that is closed with unread data is reset, and the answer is lost."""
    with suppress(OSError, ParseException), reading(environ, DRAIN_S):
        while environ["wsgi.input"].read(CHUNK):
            pass


def is_gone(environ: Environ) -> bool:
    """Whether the client has closed its side; asked once the whole request was read."""
    connection = environ.get("gunicorn.socket")
    if connection is None:
        return False
    question = select.poll()
    question.register(connection, select.POLLIN)
    try:
        return bool(question.poll(0)) and not connection.recv(1, socket.MSG_PEEK)
    except OSError:
        return True
