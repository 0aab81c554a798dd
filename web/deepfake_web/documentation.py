"""The API described: OpenAPI for programs, a page for people, made from it."""

import re
from dataclasses import fields
from importlib.metadata import metadata
from typing import Any

from deepfake_client.media.sniff import READ_HERE
from deepfake_client.report import words
from deepfake_client.report.frames_csv import COLUMNS
from deepfake_client.results import Result
from deepfake_client.settings import MIB
from flask import Blueprint, render_template
from markupsafe import Markup, escape

from deepfake_web.form import FIELD
from deepfake_web.handed_back import ReportRequest
from deepfake_web.health import Health
from deepfake_web.keep import CSV
from deepfake_web.negotiation import HTML, JSON, NDJSON
from deepfake_web.options import TRUTH, Options
from deepfake_web.page import LIMITS
from deepfake_web.responses import EXPLAINED, HEADERS, PAGE, REFUSALS, Part, answer, explanations, refusals, stream
from deepfake_web.schema import SCALARS, schema_of
from deepfake_web.services import services
from deepfake_web.settings import WebSettings

blueprint = Blueprint("documentation", __name__)
TAGS = {
    "Analysis": "A file in, what was found in it out.",
    "Report": "What was found, as something to keep.",
    "Operation": "For whoever runs the detector.",
}
WORDS = {
    "states": "Title and meaning of each thing that people are told.",
    "reasons": "A sentence for each of a result's `reasons`.",
    "sentences": "Templates of what is said of the likelihood, the networks and the file's details.",
    "credentials": "Title and meaning of each state of Content Credentials.",
}
REPORT = {"type": "string", "description": "One page that needs nothing beside itself."}
TABLE = {"type": "string", "description": f"A line for each face of each frame: {', '.join(COLUMNS)}."}


@blueprint.get("/openapi.json")
def openapi() -> dict[str, Any]:
    return description(services().settings)


@blueprint.get("/docs")
def docs() -> str:
    return render_template("docs.html", api=description(services().settings), explained=sorted(EXPLAINED))


@blueprint.app_template_filter("code")
def mark_code(text: str) -> Markup:
    """What stands between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def description(settings: WebSettings) -> Part:
    """The OpenAPI 3.1 document of a detector with these settings."""
    schemas: Part = {}
    result, health, events = schema_of(Result, schemas), schema_of(Health, schemas), stream(schemas)
    _name_reasons(schemas)
    predict: Part = {
        "requestBody": {"required": True, "content": {"multipart/form-data": _form(settings)}},
        "responses": {"200": answer("The analysis.", {JSON: result, NDJSON: events, HTML: PAGE})}
        | refusals(*(each.status for each in REFUSALS), 500),
    }
    report: Part = {
        "requestBody": {"required": True, "content": {JSON: {"schema": schema_of(ReportRequest, schemas)}}},
        "responses": {"200": answer("To be saved as a file.", {HTML: REPORT, CSV: TABLE})}
        | refusals(400, 408, 413, 429, 500),
    }
    states = {
        "200": answer("Every model is served.", {JSON: health}),
        "503": answer("Triton is away or lacks a model.", {JSON: health}),
    }
    paths: Part = {
        "/predict": {"post": _about("Analysis", "Analyse a picture or a video, told apart by content.") | predict},
        "/predict/image": {"post": _about("Analysis", "Analyse a picture.") | predict},
        "/predict/video": {"post": _about("Analysis", "Analyse a video.") | predict},
        "/report": {"post": _about("Report", "Make a result into a report or a table.") | report},
        "/health": {"get": _state("Whether analyses can be made, by what, on what.", states)},
        "/health/ready": {"get": _state("The same, for orchestrators.", states)},
        "/health/live": {"get": _state("Whether the application runs.", _always(JSON, _live()))},
        "/metrics": {"get": _state("Metrics for Prometheus.", _always("text/plain", {"type": "string"}))},
        "/config": {"get": _state("Limits, and the words for people.", _always(JSON, _config()))},
    }
    for path, methods in paths.items():
        for operation in methods.values():
            operation["operationId"] = path.strip("/").replace("/", "_")
    about = metadata("deepfake-detector")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Deepfake detector",
            "summary": about["Summary"],
            "version": about["Version"],
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {"responses": explanations(schemas), "headers": HEADERS, "schemas": schemas},
    }


def _about(tag: str, summary: str) -> Part:
    return {"tags": [tag], "summary": summary}


def _state(summary: str, responses: Part) -> Part:
    return _about("Operation", summary) | {"responses": responses}


def _always(kind: str, schema: Part) -> Part:
    return {"200": answer("Always.", {kind: schema})}


def _form(settings: WebSettings) -> Part:
    own: Part = {}
    schema_of(Options, own)
    properties = own["Options"]["properties"]
    # A field of a form is text; it is left out instead of being null.
    frames = {"type": "integer", "minimum": 1, "maximum": settings.max_frames}
    values: Part = {
        "frames": {"anyOf": [frames, {"type": "string", "const": ""}]},
        "heatmaps": {"anyOf": [{"type": "boolean"}, {"type": "string", "enum": list(TRUTH)}], "default": False},
    }
    file = {
        "type": "string",
        "format": "binary",
        "contentMediaType": "application/octet-stream",
        "description": f"{READ_HERE} Its content counts, not its name. At most {settings.max_bytes / MIB:g} MiB.",
    }
    return {
        "schema": own["Options"]
        | {
            "properties": {
                FIELD: file,
                **{name: values[name] | {"description": each["description"]} for name, each in properties.items()},
            },
            "required": [FIELD],
            "additionalProperties": False,
        },
        "encoding": {FIELD: {"contentType": "image/*, video/*"}},
    }


def _name_reasons(schemas: Part) -> None:
    reasons = schemas["Result"]["properties"]["reasons"]
    reasons["items"] = {"type": "string", "enum": list(words.REASONS)}
    reasons["description"] += "".join(f" `{reason}`: {text}" for reason, text in words.REASONS.items())


def _live() -> Part:
    return {"type": "object", "properties": {"status": {"type": "string", "const": "ok"}}, "required": ["status"]}


def _config() -> Part:
    limits = {
        each.name: {"type": SCALARS[type(each.default)], "description": f"{each.metadata['help'].capitalize()}."}
        for each in fields(WebSettings)
        if each.name in LIMITS
    }
    return {
        "type": "object",
        "description": "What the upload page shows.",
        "properties": {
            "limits": {"type": "object", "properties": limits, "required": list(limits)},
            **{name: {"type": "object", "description": text} for name, text in WORDS.items()},
            "limits_of_method": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["limits", *WORDS, "limits_of_method"],
    }
