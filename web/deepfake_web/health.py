"""Whether analyses can be made: for people, for orchestrators, and for Prometheus."""

from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Annotated, Literal

from deepfake_client.results import Model
from deepfake_contract.errors import DeepfakeError
from flask import Blueprint, Response, jsonify
from msgspec import Meta
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from deepfake_web.device import Device, describe
from deepfake_web.services import services

blueprint = Blueprint("health", __name__)


@dataclass(frozen=True)
class Health:
    """Whether analyses can be made, by what, on what."""

    status: Annotated[
        Literal["ok", "unavailable"], Meta(description="ok when Triton serves every model of the detector.")
    ]
    why: Annotated[str | None, Meta(description="What is missing; null when nothing is.")]
    models: Annotated[dict[str, bool], Meta(description="Each model of the detector, and whether it is ready.")]
    model: Annotated[Model | None, Meta(description="The detector that answers; null when Triton is away.")]
    device: Annotated[Device, Meta(description="What the networks run on.")]
    versions: Annotated[dict[str, str], Meta(description="Version of the detector, and of Triton where it tells.")]


@blueprint.get("/health")
@blueprint.get("/health/ready")
def ready() -> Response:
    health = _health()
    response = jsonify(asdict(health))
    response.status_code = 200 if health.status == "ok" else 503
    return response


@blueprint.get("/health/live")
def live() -> dict[str, str]:
    return {"status": "ok"}


@blueprint.get("/metrics")
def metrics() -> Response:
    return Response(generate_latest(services().metrics.registry), content_type=CONTENT_TYPE_LATEST)


def _health() -> Health:
    shared = services()
    models, model, why = {}, None, None
    try:
        models = shared.detector.readiness()
        model = shared.detector.model
        missing = [name for name, is_ready in models.items() if not is_ready]
        if missing:
            why = f"Triton does not serve {', '.join(missing)}."
    except DeepfakeError as error:
        why = error.detail
    server = describe(shared.detector.address, shared.settings.triton_metrics, model.titles if model else ())
    versions = {"deepfake-detector": version("deepfake-detector")} | ({"triton": server.version} if server else {})
    device: Device = server.device if server else "unknown"
    return Health("unavailable" if why else "ok", why, models, model, device, versions)
