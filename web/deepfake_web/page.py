"""The upload page, and the limits and words that it shows."""

from typing import Any

from deepfake_client import words
from flask import Blueprint, render_template

from deepfake_web.services import services

blueprint = Blueprint("page", __name__)
LIMITS = ("max_bytes", "max_duration_s", "max_pixels", "max_frames")


@blueprint.get("/")
def index() -> str:
    return render_template("index.html", settings=services().settings)


@blueprint.get("/config")
def config() -> dict[str, Any]:
    """Limits, in the units that their names say, and the words for people."""
    limits = {name: getattr(services().settings, name) for name in LIMITS}
    states = {state: {"title": title, "meaning": meaning} for state, (title, meaning) in words.STATES.items()}
    sentences = {"likelihood": words.LIKELIHOOD, "rate": words.RATE, "rate_unknown": words.RATE_UNKNOWN}
    return {"limits": limits, "states": states, "reasons": words.REASONS, "sentences": sentences}


@blueprint.app_context_processor
def words_for_templates() -> dict[str, Any]:
    return {"words": words}
