"""The API described: OpenAPI for programs, a plain page for people."""

import re
from importlib.metadata import version
from typing import Any

from deepfake_client import errors
from deepfake_client.results import EVENT_NAMES, Result
from flask import Blueprint, render_template
from markupsafe import Markup, escape

from deepfake_web.health import Health
from deepfake_web.negotiation import JSON, NDJSON
from deepfake_web.options import Options
from deepfake_web.problems import MEDIA_TYPE, Problem
from deepfake_web.schema import schema_of
from deepfake_web.upload import FIELD, SlowUploadError

blueprint = Blueprint("documentation", __name__)
REFUSALS = (
    errors.UsageError,
    SlowUploadError,
    errors.TooLargeError,
    errors.UnsupportedMediaError,
    errors.DamagedMediaError,
    errors.BusyError,
    errors.UnavailableError,
    errors.DeadlineError,
)
UNFORESEEN = "Internal error. Not foreseen; the server's log says why, under the request's `instance`."
STREAM = (
    f"With `Accept: {NDJSON}`: one JSON object a line, the key `event` added to it. "
    f"{', '.join(f'`{name}` ({kind.__name__})' for kind, name in EVENT_NAMES.items())}, `error` (Problem). "
    "The last line is always exactly one `result` or `error`."
)


@blueprint.get("/openapi.json")
def openapi() -> dict[str, Any]:
    return description()


@blueprint.get("/docs")
def docs() -> str:
    return render_template("docs.html", api=description())


@blueprint.app_template_filter("code")
def mark_code(text: str) -> Markup:
    """What stands between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def description() -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    schemas: dict[str, Any] = {}
    result, health = schema_of(Result, schemas), schema_of(Health, schemas)
    stream = {"oneOf": [schema_of(kind, schemas) for kind in (*EVENT_NAMES, Problem)], "description": STREAM}
    predict = {
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _form(schemas)}}},
        "responses": {"200": _content("The analysis.", {JSON: result, NDJSON: stream})} | _refusals(schemas),
    }
    states = {
        "200": _content("Every model is served.", {JSON: health}),
        "503": _content("Triton is away or lacks a model.", {JSON: health}),
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Deepfake detector", "version": version("deepfake-detector"), "license": {"name": "MIT"}},
        "paths": {
            "/predict": {"post": {"summary": "Analyse a picture or a video, told apart by content.", **predict}},
            "/predict/image": {"post": {"summary": "Analyse a picture.", **predict}},
            "/predict/video": {"post": {"summary": "Analyse a video.", **predict}},
            "/health": {"get": {"summary": "Whether analyses can be made, by what, on what.", "responses": states}},
            "/health/ready": {"get": {"summary": "The same, for orchestrators.", "responses": states}},
            "/health/live": {"get": {"summary": "Whether the application runs.", "responses": _plain(JSON)}},
            "/metrics": {"get": {"summary": "Metrics for Prometheus.", "responses": _plain("text/plain")}},
            "/config": {"get": {"summary": "Limits, and the words for people.", "responses": _plain(JSON)}},
        },
        "components": {"schemas": schemas},
    }


def _form(schemas: dict[str, Any]) -> dict[str, Any]:
    schema_of(Options, schemas)
    options = schemas.pop("Options")
    file = {"type": "string", "format": "binary", "description": "The picture or video."}
    return options | {"properties": {FIELD: file, **options["properties"]}, "required": [FIELD]}


def _refusals(schemas: dict[str, Any]) -> dict[str, Any]:
    problem = schema_of(Problem, schemas)
    reasons = {each.status: f"{each.title}. {each.__doc__}" for each in REFUSALS} | {500: UNFORESEEN}
    return {str(status): _content(reason, {MEDIA_TYPE: problem}) for status, reason in sorted(reasons.items())}


def _content(description: str, schemas: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {kind: {"schema": schema} for kind, schema in schemas.items()}}


def _plain(kind: str) -> dict[str, Any]:
    return {"200": _content("Always.", {kind: {}})}
