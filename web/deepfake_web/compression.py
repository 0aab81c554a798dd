"""Text for those who take gzip (RFC 9110, section 8.4); what is streamed goes out as it comes."""

import gzip

from flask import Flask, Response, request

LEAST = 1024  # bytes: of less, nothing is gained
KINDS = ("application/json", "application/problem+json")  # beside text/*
ENCODING = "gzip"


def register(app: Flask) -> None:
    """Every whole answer of text. Nothing that the application answers is a secret whose length could tell of it."""
    app.after_request(_compress)


def packed(content: bytes, level: int = 6) -> bytes:
    """The same bytes for the same content: no time is written into them."""
    return gzip.compress(content, level, mtime=0)


def is_text(kind: str) -> bool:
    """Whether a media type's content is worth packing."""
    return kind.startswith("text/") or kind in KINDS


def is_taken() -> bool:
    """Whether the current request accepts it."""
    return request.accept_encodings.quality(ENCODING) > 0


def _compress(response: Response) -> Response:
    if not response.is_sequence or not is_text(response.mimetype or "") or "Content-Encoding" in response.headers:
        return response
    content = response.get_data()
    if len(content) < LEAST:
        return response
    response.vary.add("Accept-Encoding")
    if is_taken():
        response.set_data(packed(content))
        response.headers["Content-Encoding"] = ENCODING
    return response
