"""POST /predict, /predict/image, /predict/video: a file in, its analysis out, whole or as a stream of events."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

from deepfake_client.report.html_report import html_report
from deepfake_client.report.row import Row
from deepfake_client.results import (
    EVENT_NAMES,
    Accepted,
    Event,
    Events,
    FrameResult,
    Result,
    frame_without_pictures,
    to_dict,
    without_pictures,
)
from deepfake_contract.errors import UnsupportedMediaError
from flask import Blueprint, Response, g, jsonify, request, url_for
from werkzeug.exceptions import ClientDisconnected

from deepfake_web import connection
from deepfake_web.negotiation import HTML, NDJSON, representation
from deepfake_web.predict_options import Options, parse_options
from deepfake_web.problems import problem_of
from deepfake_web.services import services
from deepfake_web.upload import received

blueprint = Blueprint("predict", __name__)


@blueprint.post("/predict", defaults={"kind": None})
@blueprint.post("/predict/<any(image, video):kind>")
def predict(kind: str | None) -> Response:
    """Analyses the uploaded file; everything it took is given back when the answer was sent or the client left."""
    shared = services()
    with ExitStack() as held:
        held.enter_context(shared.admission.place())
        upload = held.enter_context(received(request.environ, shared.settings))
        options = parse_options(upload.options, shared.settings)
        held.enter_context(shared.admission.turn())
        analysis = held.enter_context(closing(_analyse(upload.path, kind, options)))
        # The answer begins once the detector has done some work: until then a refusal has a status of its own.
        events = chain([next(analysis), next(analysis)], analysis)
        if representation() == NDJSON:
            response = Response(_lines(events, options, g.request_id), mimetype=NDJSON)
            # Not in the generator: one that was never begun does not run its `finally`.
            response.call_on_close(held.pop_all().close)
            return response
        *_, result = events
    assert isinstance(result, Result)
    if representation() == HTML:
        row, stylesheet = Row(Path(options.name), result), url_for("page.report_styles")
        return Response(html_report([row], stylesheet=stylesheet, back="/"))
    return jsonify(_told(result if options.heatmaps else without_pictures(result), result, options))


@blueprint.after_request
def drain_refused(response: Response) -> Response:
    """After the answer, so that a client which sends first and reads later gets to see it."""
    if response.status_code >= 400:
        environ = request.environ
        response.call_on_close(lambda: connection.drain(environ))
    return response


def _analyse(path, kind: str | None, options: Options) -> Events:
    shared, environ = services(), request.environ
    pictures = options.heatmaps or options.report
    with closing(shared.detector.events(path, frames=options.frames, heatmaps=pictures)) as events:
        for event in events:
            if isinstance(event, Accepted) and kind not in (None, event.file_type):
                raise UnsupportedMediaError(
                    f"The file's type is {event.file_type}, not {kind}; post it to /predict/{event.file_type}."
                )
            if isinstance(event, Result):
                shared.metrics.count_result(event)
            if connection.is_gone(environ):
                raise ClientDisconnected()
            yield event


def _told(result: Result, whole: Result, options: Options) -> dict[str, Any]:
    """The result as the answer carries it, and the report of the whole one where it is asked for."""
    report = {"report": html_report([Row(Path(options.name), whole)])} if options.report else {}
    return to_dict(result) | report


def _lines(events: Iterator[Event], options: Options, request_id: str) -> Iterator[bytes]:
    try:
        for event in events:
            if isinstance(event, Result):
                # Frames carried their maps and thumbnails when they were done: again they would double the answer.
                fields = _told(without_pictures(event), event, options)
            elif isinstance(event, FrameResult) and not options.heatmaps:
                fields = to_dict(frame_without_pictures(event))
            else:
                fields = to_dict(event)
            yield _line(EVENT_NAMES[type(event)], fields)
    except Exception as error:
        yield _line("error", asdict(problem_of(error, request_id)))


def _line(name: str, fields: dict[str, Any]) -> bytes:
    return json.dumps({"event": name, **fields}, allow_nan=False).encode() + b"\n"
