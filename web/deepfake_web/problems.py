"""Every failure as RFC 9457 problem details: the one place where an error becomes HTTP."""

import logging
from dataclasses import asdict, dataclass
from typing import Annotated

from deepfake_contract.errors import BusyError, DeepfakeError
from flask import Flask, Response, current_app, g, render_template
from msgspec import Meta
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from deepfake_web.negotiation import HTML, representation

MEDIA_TYPE = "application/problem+json"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Problem:
    """What went wrong (RFC 9457)."""

    type: Annotated[str, Meta(description="Leads to the explanation of the status.")]
    title: str
    status: Annotated[int, Meta(description="As the answer's own; in a stream, the one that it would have had.")]
    detail: Annotated[str, Meta(description="What happened, and what to do.")]
    instance: Annotated[str, Meta(description="Names the request, as the server's log does.")]


def problem_of(error: Exception, request_id: str) -> Problem:
    """What a client is told; what it is not told goes to the log."""
    if isinstance(error, DeepfakeError):
        status, title, detail = error.status, error.title, error.detail
    elif isinstance(error, HTTPException):
        status, title, detail = error.code or 500, error.name, error.description or error.name
    else:
        status, title = 500, "Internal error"
        detail = "The detector failed at this request; its log says why, under this request's instance."
    if status >= 500:
        log.error("%s: %s", request_id, error, exc_info=error)
    return Problem(f"/docs#status-{status}", title, status, detail, f"urn:uuid:{request_id}")


def register(app: Flask) -> None:
    app.register_error_handler(Exception, _respond)


def _respond(error: Exception) -> Response:
    problem = problem_of(error, g.request_id)
    if representation() == HTML:
        response = Response(render_template("problem.html", problem=problem), problem.status)
    else:
        response = Response(current_app.json.dumps(asdict(problem)) + "\n", problem.status, mimetype=MEDIA_TYPE)
    if isinstance(error, BusyError):
        response.headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(error.valid_methods)
    return response
