"""The application factory."""

from deepfake_client import Detector
from deepfake_contract.errors import UsageError
from flask import Flask

from deepfake_web import assets, compression, documentation, health, observing, page, predict, problems
from deepfake_web.admission import Admission
from deepfake_web.metrics import Metrics
from deepfake_web.services import Services
from deepfake_web.settings import WebSettings
from deepfake_web.upload import check_folder


def create_app(settings: WebSettings | None = None, detector: Detector | None = None) -> Flask:
    """A WSGI application; settings come from the environment and the detector from them where not given.

    Create it in the process that serves it: a connection to Triton does not survive a fork.
    """
    settings = settings or WebSettings.from_environment()
    if detector is None and not settings.triton:
        raise UsageError("Set DEEPFAKE_TRITON to the host:port of a Triton, or use `deepfake serve`.")
    check_folder(settings)
    admission = Admission(settings.max_analyses, settings.max_waiting, settings.max_wait_s)
    app = Flask(__name__, static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["deepfake"] = Services(
        settings,
        detector or Detector(settings.triton, settings),
        admission,
        Metrics(admission),
    )
    for each in (observing, compression, problems, assets):
        each.register(app)
    for part in (predict, health, documentation, page):
        app.register_blueprint(part.blueprint)
    return app
