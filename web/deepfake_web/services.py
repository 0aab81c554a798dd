"""What the requests of one application share."""

from dataclasses import dataclass

from deepfake_client import Detector
from flask import current_app

from deepfake_web.admission import Admission
from deepfake_web.metrics import Metrics
from deepfake_web.settings import WebSettings


@dataclass(frozen=True)
class Services:
    """Made once by the factory, after the worker has forked: gRPC does not survive a fork."""

    settings: WebSettings
    detector: Detector
    admission: Admission
    metrics: Metrics


def services() -> Services:
    """Those of the current request's application."""
    return current_app.extensions["deepfake"]
