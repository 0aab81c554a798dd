"""The upload page, and the limits and words that it shows."""

from typing import Any

from deepfake_client.media.sniff import PICTURE_FORMATS, VIDEO_FORMATS
from deepfake_client.report import words
from deepfake_client.report.html_report import report_css
from deepfake_client.settings import MIB
from flask import Blueprint, Response, render_template

from deepfake_web.services import services
from deepfake_web.settings import WebSettings

blueprint = Blueprint("page", __name__)
SENTENCES = (
    *("likelihood", "rate", "rate_unknown", "agreed", "split", "logits", "means"),
    *("no_tags", "provenance", "no_credentials_prove_nothing", "credentials_elsewhere"),
)
LIMITS = ("max_bytes", "max_duration_s", "max_pixels", "max_frames")


@blueprint.get("/")
def index() -> str:
    formats = {"pictures": PICTURE_FORMATS, "videos": VIDEO_FORMATS}
    suffixes = [f".{name.lower()}" for name in PICTURE_FORMATS + VIDEO_FORMATS]
    accept = ["image/*", "video/*", *suffixes]  # suffixes too: browsers know few of the media types
    return render_template(
        "index.html", formats=formats, accept=accept, limits=_limits(services().settings), config=config()
    )


def _limits(settings: WebSettings) -> list[str]:
    """What is accepted, in people's units and no larger than it is."""
    length = settings.max_duration_s
    return [
        f"{round(settings.max_bytes / MIB, 2):g} MiB",
        f"{length:g} seconds" if length < 120 else f"{round(length / 60, 2):g} minutes",
        f"{round(settings.max_pixels / 1e6, 2):g} megapixels",
    ]


@blueprint.get("/report.css")
def report_styles() -> Response:
    """Of a report that is shown and not downloaded."""
    return Response(report_css(), mimetype="text/css")


@blueprint.get("/config")
def config() -> dict[str, Any]:
    """Limits, in the units that their names say, and the words for people."""
    limits = {name: getattr(services().settings, name) for name in LIMITS}
    sentences = {name: getattr(words, name.upper()) for name in SENTENCES}
    return {
        "limits": limits,
        "states": _titled(words.STATES),
        "reasons": {reason: sentence for reason, (_, sentence) in words.REASONS.items()},
        "sentences": sentences,
        "credentials": _titled(words.CREDENTIALS),
        "parts": _titled(words.PARTS),
        "limits_of_method": words.LIMITS,
    }


def _titled(texts: dict[str, tuple[str, str]]) -> dict[str, dict[str, str]]:
    return {name: {"title": title, "meaning": meaning} for name, (title, meaning) in texts.items()}
