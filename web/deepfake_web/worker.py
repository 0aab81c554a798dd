"""gunicorn's threaded worker, changed in one thing: a connection gets a thread once the whole head of a request is
there. Clients that drip a head, or that speak something else, take no thread, however many they are."""

import json
import logging
import socket
import time
import uuid
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from deepfake_web.problems import MEDIA_TYPE, Problem
from deepfake_web.settings import WebSettings

MAX_HEAD_BYTES = 64 * 1024  # a browser's head has about 1 KiB
MAX_HEADS = 256  # connections whose head is awaited; for one more, the one that has waited longest is closed
READ_BYTES = 8 * 1024
END = b"\r\n\r\n"
SLOW = (408, "Request too slow", "The head of the request took too long; try again over a faster connection.")
NOT_HTTP = (400, "Bad request", "This is no HTTP request. Here HTTP is spoken, without TLS.")
LARGE = (400, "Bad request", f"The head of the request is larger than {MAX_HEAD_BYTES >> 10} KiB; send less in it.")
log = logging.getLogger(__name__)


class Head:
    """What has come of a request, and until when all of its head must be there."""

    def __init__(self, begun: bytes, deadline: float):
        self.data, self.deadline = bytearray(begun), deadline
        self.refused = False

    def is_whole(self) -> bool:
        # An empty line before a request is passed over (RFC 9112, 2.2).
        return self.data.find(END, 2 if self.data.startswith(b"\r\n") else 0) >= 0

    def is_http(self) -> bool:
        """By the first byte: a method begins with a letter, a TLS hello with 22."""
        first = bytes(self.data[:1])
        return first.isalpha() or first in (b"", b"\r")


class Worker(ThreadWorker):
    """For gunicorn's `--worker-class`. What is added runs in the main thread and waits for nothing."""

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self._patience_s = WebSettings.from_environment().max_stall_s
        self._heads: dict[TConn, Head] = {}  # in the order of their deadlines

    def enqueue_req(self, conn: TConn) -> None:
        """Where every connection comes by before a request is read: new, kept alive, or with the next one sent."""
        conn.init()
        conn.sock.setblocking(False)
        if len(self._heads) >= MAX_HEADS:
            self._close(next(iter(self._heads)))
        self._heads[conn] = Head(conn.parser.unreader.take_buffered(), time.monotonic() + self._patience_s)
        self.poller.register(conn.sock, EVENT_READ, partial(self._read, conn))
        self._read(conn, conn.sock)

    def murder_pending(self) -> None:
        """Called once a second or more often; while this worker stops, nobody is waited for."""
        super().murder_pending()
        now = time.monotonic()
        for conn, head in list(self._heads.items()):
            if head.deadline > now and self.alive:
                break
            if head.data and not head.refused:  # a browser opens connections ahead, and may not use them
                self._refuse(conn, *SLOW)
            self._close(conn)

    def _read(self, conn: TConn, connection: socket.socket) -> None:
        """Takes what has come; hands the connection to a thread, or refuses it, as soon as that can be told."""
        head = self._heads[conn]
        while head.refused or (head.is_http() and not head.is_whole() and len(head.data) <= MAX_HEAD_BYTES):
            try:
                more = connection.recv(READ_BYTES)
            except BlockingIOError:
                return
            except OSError:
                more = b""
            if not more:
                self._close(conn)
                return
            if head.refused:  # read on for a while: closing with unread data would take the answer back
                return
            head.data += more
        if not head.is_http():
            self._refuse(conn, *NOT_HTTP)
        elif not head.is_whole():
            self._refuse(conn, *LARGE)
        else:
            self._forget(conn)
            conn.parser.unreader.unread(bytes(head.data))
            conn.data_ready = True
            super().enqueue_req(conn)

    def _refuse(self, conn: TConn, status: int, title: str, detail: str) -> None:
        head, request_id = self._heads[conn], uuid.uuid4()
        head.refused = True
        log.info("%s: %s", request_id, detail)
        problem = Problem(f"/docs#status-{status}", title, status, detail, f"urn:uuid:{request_id}")
        body = json.dumps(asdict(problem)).encode() + b"\n"
        lines = (f"Content-Type: {MEDIA_TYPE}", f"Content-Length: {len(body)}", "Connection: close")
        with suppress(OSError):
            conn.sock.send("\r\n".join([f"HTTP/1.1 {status} {title}", *lines]).encode() + END + body)
            conn.sock.shutdown(socket.SHUT_WR)

    def _close(self, conn: TConn) -> None:
        self._forget(conn)
        self.nr_conns -= 1
        conn.close()

    def _forget(self, conn: TConn) -> None:
        del self._heads[conn]
        self.poller.unregister(conn.sock)
