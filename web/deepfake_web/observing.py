"""A number, a log line and metrics for every request, and the headers that every answer carries."""

import logging
import time
import uuid

from flask import Flask, Response, g, request

from deepfake_web.services import services

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src blob:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
log = logging.getLogger("deepfake_web.requests")


def register(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_finish)


def _begin() -> None:
    g.request_id = str(uuid.uuid4())
    g.begun = time.monotonic()


def _finish(response: Response) -> Response:
    metrics, request_id, begun = services().metrics, g.request_id, g.begun
    endpoint, line = request.endpoint or "unknown", f"{request.method} {request.path!a}"

    def closed() -> None:
        seconds = time.monotonic() - begun
        metrics.count_request(endpoint, response.status_code, seconds)
        log.info("%s %s %s %.3f s", request_id, line, response.status_code, seconds)

    # At the end of the answer, not at its start: a stream is one request.
    response.call_on_close(closed)
    for name, value in {**HEADERS, "Cache-Control": "no-store"}.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-ID"] = request_id
    return response
