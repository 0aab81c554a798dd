"""Which form of an answer the client asked for."""

from flask import request

JSON = "application/json"
NDJSON = "application/x-ndjson"
HTML = "text/html"


def representation() -> str:
    """The one that the Accept header prefers; JSON where it names none, as the original system answered."""
    return request.accept_mimetypes.best_match((JSON, NDJSON, HTML), default=JSON)
