"""The API described: OpenAPI for programs, a page for people, made from it."""

import re
from dataclasses import fields
from importlib.metadata import metadata
from typing import Any

from deepfake_client.media.sniff import READ_HERE
from deepfake_client.report import words
from deepfake_client.results import Result
from deepfake_client.settings import MIB
from flask import Blueprint, render_template
from markupsafe import Markup, escape
from msgspec.json import schema, schema_components

from deepfake_web.form import FIELD
from deepfake_web.health import Health
from deepfake_web.negotiation import HTML, JSON, NDJSON
from deepfake_web.page import LIMITS
from deepfake_web.predict_options import TRUTH, Options
from deepfake_web.responses import (
    EVENTS,
    EXPLAINED,
    HEADERS,
    PAGE,
    REFERENCE,
    REFUSALS,
    Part,
    answer,
    explanations,
    reference,
    refusals,
    stream,
)
from deepfake_web.services import services
from deepfake_web.settings import WebSettings

blueprint = Blueprint("documentation", __name__)
TAGS = {
    "Analysis": "A file in, what was found in it out.",
    "Operation": "For whoever runs the detector.",
}
WORDS = {
    "states": "Title and meaning of each thing that people are told.",
    "reasons": "A sentence for each of a result's `reasons`.",
    "sentences": "Templates of what is said of the likelihood, the networks and the file's details.",
    "credentials": "Title and meaning of each state of Content Credentials.",
    "parts": "Title and meaning of what is added beside the networks in `contributions`.",
}
REPORT = (
    "With the option `report`, and only then: the report that people keep, one page of HTML that needs nothing else."
)


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
    schemas = _schemas()
    result, health, events = reference(Result), reference(Health), stream(schemas)
    predict: Part = {
        "requestBody": {"required": True, "content": {"multipart/form-data": _form(settings)}},
        "responses": {"200": answer("The analysis.", {JSON: result, NDJSON: events, HTML: PAGE})}
        | refusals(*(each.status for each in REFUSALS), 500),
    }
    states = {
        "200": answer("Every model is served.", {JSON: health}),
        "503": answer("Triton is away or lacks a model.", {JSON: health}),
    }
    paths: Part = {
        "/predict": {"post": _about("Analysis", "Analyse a picture or a video, told apart by content.") | predict},
        "/predict/image": {"post": _about("Analysis", "Analyse a picture.") | predict},
        "/predict/video": {"post": _about("Analysis", "Analyse a video.") | predict},
        "/health": {"get": _state("Whether analyses can be made, by what, on what.", states)},
        "/health/ready": {"get": _state("Whether analyses can be made, for orchestrators.", states)},
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
        "components": {"responses": explanations(), "headers": HEADERS, "schemas": schemas},
    }


def _about(tag: str, summary: str) -> Part:
    return {"tags": [tag], "summary": summary}


def _state(summary: str, responses: Part) -> Part:
    return _about("Operation", summary) | {"responses": responses}


def _always(kind: str, schema: Part) -> Part:
    return {"200": answer("Always.", {kind: schema})}


def _form(settings: WebSettings) -> Part:
    _, own = schema_components([Options])
    properties = own["Options"]["properties"]
    # A field of a form is text; it is left out instead of being null.
    frames = {"type": "integer", "minimum": 1, "maximum": settings.max_frames}
    flag = {"anyOf": [{"type": "boolean"}, {"type": "string", "enum": list(TRUTH)}], "default": False}
    values: Part = {
        "frames": {"anyOf": [frames, {"type": "string", "const": ""}]},
        "heatmaps": flag,
        "report": flag,
        "name": properties["name"],
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


def _schemas() -> Part:
    """Of all that is answered as JSON, from its dataclasses."""
    _, schemas = schema_components([Result, Health, *EVENTS.values()], ref_template=REFERENCE)
    for each in schemas.values():
        each["description"] = " ".join(each["description"].split())
        _type_choices(each)
    properties = schemas["Result"]["properties"]
    properties["report"] = {"type": "string", "description": REPORT}
    reasons = properties["reasons"]
    reasons["items"] = {"type": "string", "enum": list(words.REASONS)}
    reasons["description"] += "".join(f" `{reason}`: {text}" for reason, (_, text) in words.REASONS.items())
    return schemas


def _type_choices(part: Any) -> None:
    """Says that a choice is a text, which msgspec leaves open."""
    for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        _type_choices(each)
    if isinstance(part, dict) and "enum" in part:
        part["type"] = "string"


def _live() -> Part:
    return {"type": "object", "properties": {"status": {"type": "string", "const": "ok"}}, "required": ["status"]}


def _config() -> Part:
    limits = {
        each.name: schema(type(each.default)) | {"description": f"{each.metadata['help'].capitalize()}."}
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
