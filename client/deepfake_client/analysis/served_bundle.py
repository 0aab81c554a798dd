"""What a Triton says about the bundle that it serves: identity, policy and stacking, from the ensemble's parameter."""

import json
from dataclasses import dataclass
from typing import Any

from deepfake_contract.errors import UnavailableError
from deepfake_contract.tensors import ROLES

from deepfake_client.results import Model


@dataclass(frozen=True)
class Policy:
    """How media become crops and probabilities a verdict.

    crop: "face" | "frame"; sampling: "even" | "every_nth:N"; face_margin: part of the box's longer side that is added
    on each side; uncertain: the probabilities, lowest and highest, that are called low certainty.
    """

    crop: str
    face_margin: float
    sampling: str
    frames: int
    aggregate: str
    threshold: float
    uncertain: tuple[float, float]


@dataclass(frozen=True)
class Stacking:
    """Logistic regression over the standardised probabilities of the three networks, in the order of ROLES."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    coefficients: tuple[float, ...]
    intercept: float

    def contributions(self, networks: dict[str, float]) -> dict[str, float]:
        """What each network adds to the stacked logit, and the intercept; they sum to the logit."""
        parts = zip(ROLES, self.mean, self.scale, self.coefficients, strict=True)
        added = {role: coefficient * (networks[role] - mean) / scale for role, mean, scale, coefficient in parts}
        return added | {"intercept": self.intercept}


@dataclass(frozen=True)
class ServedBundle:
    """One served bundle; `max_batch_size` is the most crops that the ensemble takes in a request."""

    model: Model
    policy: Policy
    stacking: Stacking
    max_batch_size: int


def parse_bundle(text: str, max_batch_size: int) -> ServedBundle:
    """The parameter's JSON; UnavailableError when this client can't follow what it says."""
    try:
        served = json.loads(text)
        policy = _policy(served["policy"])
        bundle = ServedBundle(
            Model(
                name=str(served["name"]),
                version=str(served["version"]),
                digest=str(served["digest"]),
                architectures={role: str(served["architectures"][role]) for role in ROLES},
                false_positive_rate=served["policy"].get("false_positive_rate"),
            ),
            policy,
            _stacking(served["stacking"]),
            max_batch_size,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as cause:
        raise UnavailableError(
            "The served model describes itself in a way that this client can't read; export it again with the "
            "client's version."
        ) from cause
    _require_known(policy)
    return bundle


def _policy(values: dict[str, Any]) -> Policy:
    low, high = values["uncertain"]
    return Policy(
        crop=values["crop"],
        face_margin=float(values.get("face_margin", 0.0)),
        sampling=values["sampling"],
        frames=int(values["frames"]),
        aggregate=values["aggregate"],
        threshold=float(values["threshold"]),
        uncertain=(float(low), float(high)),
    )


def _stacking(values: dict[str, Any]) -> Stacking:
    mean, scale, coefficients = (
        tuple(float(each) for each in values[key]) for key in ("mean", "scale", "coefficients")
    )
    if not len(mean) == len(scale) == len(coefficients) == len(ROLES):
        raise ValueError("stacking needs one value a network")
    return Stacking(mean, scale, coefficients, float(values["intercept"]))


def _require_known(policy: Policy) -> None:
    for name, value, known in (
        ("crop", policy.crop, ("face", "frame")),
        ("aggregate", policy.aggregate, ("mean",)),
    ):
        if value not in known:
            raise UnavailableError(f"The served policy says {name} = {value!r}, which this client can't follow.")
