"""What operations answer, as OpenAPI describes it: media types, the stream's events, refusals by their status."""

from typing import Any

from deepfake_client.results import EVENT_NAMES
from deepfake_contract import errors

from deepfake_web.negotiation import HTML, NDJSON
from deepfake_web.problems import MEDIA_TYPE, Problem
from deepfake_web.upload import SlowUploadError

Part = dict[str, Any]  # of the document
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
EXPLAINED = {each.status: f"{each.title}. {each.__doc__}" for each in REFUSALS} | {
    404: "Not found. There is nothing at this address; the operations stand in this document.",
    405: "Method not allowed. There is something at this address, for another method.",
    429: "Busy. Too much work at once; worth trying again later.",
    500: "Internal error. Not foreseen; the server's log says why, under the request's `instance`.",
}
EVENTS = {name: kind for kind, name in EVENT_NAMES.items()} | {"error": Problem}
REFERENCE = "#/components/schemas/{name}"
PAGE = {"type": "string", "description": "A page for people."}
STREAM = (
    f"With `Accept: {NDJSON}`: this is one line of the answer, a JSON object. The last line is always exactly one "
    "`result` or `error`. A `result` leaves out heatmaps and thumbnails, which its frames carried before it."
)
HEADERS: Part = {
    "X-Request-ID": {"description": "Names the request, as the server's log does.", "schema": {"type": "string"}},
    "Retry-After": {
        "description": "Seconds after which it is worth trying again.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Allow": {"description": "The methods that there are.", "schema": {"type": "string"}},
}
HEADERS_OF = {405: ["Allow"], 429: ["Retry-After"]}  # beside X-Request-ID, which every answer has


def answer(description: str, schemas: dict[str, Part], *headers: str) -> Part:
    """One response: what it means, the schema of each media type, names from HEADERS."""
    return {
        "description": description,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-ID", *headers)},
        "content": {kind: {"schema": schema} for kind, schema in schemas.items()},
    }


def reference(kind: type) -> Part:
    """Of a dataclass whose schema is among the components."""
    return {"$ref": REFERENCE.format(name=kind.__name__)}


def explanations() -> Part:
    """The response of each status in EXPLAINED, by its anchor on the page."""
    kinds = {MEDIA_TYPE: reference(Problem), HTML: PAGE}
    return {
        anchor(status): answer(text, kinds, *HEADERS_OF.get(status, [])) for status, text in sorted(EXPLAINED.items())
    }


def refusals(*statuses: int) -> Part:
    """An operation's responses of these statuses."""
    return {str(status): {"$ref": f"#/components/responses/{anchor(status)}"} for status in sorted(statuses)}


def anchor(status: int) -> str:
    return f"status-{status}"


def stream(schemas: Part) -> Part:
    """A line of the stream: one schema an event, told apart by `event`, which is added to `schemas`."""
    for name, kind in EVENTS.items():
        event = {"type": "string", "const": name, "description": "Tells the lines of a stream apart."}
        named = {"type": "object", "properties": {"event": event}, "required": ["event"]}
        schemas[_title(name)] = {
            "description": f"{kind.__name__}, as a line of the stream.",
            "allOf": [named, reference(kind)],
        }
    mapping = {name: REFERENCE.format(name=_title(name)) for name in EVENTS}
    return {
        "description": STREAM,
        "oneOf": [{"$ref": reference} for reference in mapping.values()],
        "discriminator": {"propertyName": "event", "mapping": mapping},
    }


def _title(event: str) -> str:
    return f"{event.capitalize()}Event"
