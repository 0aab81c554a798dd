"""POST /report: a result in, what people keep of it out: the report as a page, or the frames as a table. Nothing of
it is stored here."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deepfake_client.cli.output import Row
from deepfake_client.report.frames_csv import frames_csv
from deepfake_client.report.html_report import html_report, report_css
from deepfake_client.settings import MIB
from deepfake_contract.errors import BusyError, TooLargeError, UsageError
from flask import Blueprint, Response, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected
from werkzeug.wsgi import get_input_stream

from deepfake_web import connection
from deepfake_web.admission import PAUSE_S
from deepfake_web.handed_back import ReportRequest, parse_request
from deepfake_web.negotiation import HTML, JSON
from deepfake_web.predict import drain_refused
from deepfake_web.services import services
from deepfake_web.upload import SlowUploadError

blueprint = Blueprint("keep", __name__)
blueprint.after_request(drain_refused)
CSV = "text/csv"
MAX_REPORT_BYTES = 4 * MIB  # of a result as JSON: the pictures of few frames are drawn, so few need be sent
MAX_READ_S = 30.0  # longest wait for a result
AT_ONCE = 2  # results that are read and made into reports; others are told to wait


@blueprint.post("/report")
def report() -> Response:
    """The one of HTML and CSV that the Accept header prefers, as a download."""
    if request.mimetype != JSON:
        raise UsageError(f"Send JSON, with `Content-Type: {JSON}`.")
    with _turn():
        return _made(parse_request(_body(), services().settings.max_frames))


def _made(asked: ReportRequest) -> Response:
    if request.accept_mimetypes.best_match((HTML, CSV), default=HTML) == CSV:
        return _download(frames_csv(asked.name, asked.result), CSV, "deepfake-frames.csv")
    return _download(html_report([Row(Path(asked.name), asked.result)]), HTML, "deepfake-report.html")


@blueprint.get("/report.css")
def styles() -> Response:
    """The styles of a report that is shown and not downloaded."""
    return Response(report_css(), mimetype="text/css")


@contextmanager
def _turn() -> Iterator[None]:
    """Held from before the result is read; BusyError where none is free in a moment."""
    if not services().reports.acquire(timeout=PAUSE_S):
        raise BusyError("Too many reports are being made at the moment; try again in a few seconds.")
    try:
        yield
    finally:
        services().reports.release()


def _body() -> bytes:
    environ, body = request.environ, bytearray()
    try:
        with connection.reading(environ, MAX_READ_S):
            stream = get_input_stream(environ)
            while len(body) <= MAX_REPORT_BYTES and (piece := stream.read(connection.CHUNK)):
                body += piece
    except (TimeoutError, BlockingIOError) as cause:
        raise SlowUploadError("The result took too long to arrive; try again over a faster connection.") from cause
    except (OSError, ParseException, ClientDisconnected) as cause:
        raise UsageError("The connection broke before the result was complete.") from cause
    if len(body) > MAX_REPORT_BYTES:
        raise TooLargeError(f"The result is larger than {MAX_REPORT_BYTES / MIB:g} MiB, the limit.")
    return bytes(body)


def _download(text: str, kind: str, name: str) -> Response:
    response = Response(text, mimetype=kind)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
