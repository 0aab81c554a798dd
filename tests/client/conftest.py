"""Results and bundles in code, for the tests of rules and numbers."""

from collections.abc import Callable

import pytest
from deepfake_client.analysis.served_bundle import Policy, ServedBundle, Stacking
from deepfake_client.results import (
    NO_CREDENTIALS,
    FaceResult,
    FrameResult,
    MediaInfo,
    Model,
    Provenance,
    Result,
    Timing,
    deciding_face,
)
from deepfake_contract.tensors import ROLES


@pytest.fixture
def bundle() -> ServedBundle:
    return ServedBundle(
        Model("test", "1", "sha256:00", {role: role for role in ROLES}, 0.04),
        Policy("face", 0.3, "even", 32, "mean", 0.5, (0.35, 0.65)),
        Stacking((0.5, 0.4, 0.3), (0.2, 0.25, 0.1), (1.0, 2.0, -0.5), 0.25),
        8,
    )


@pytest.fixture
def clip() -> MediaInfo:
    """A clip of 10 seconds with 0.1 bits a pixel and frame."""
    return MediaInfo("00", 2_592_000, "mp4", "h264", 960, 720, 10.0, 30.0)


@pytest.fixture
def face() -> Callable[..., FaceResult]:
    def make(confidence: float, track: int | None = 1, side: float = 100, networks=None, cut=False) -> FaceResult:
        box = (10.0, 10.0, side * 0.8, side)
        networks = networks or dict.fromkeys(ROLES, confidence)
        return FaceResult(track, box, box, 0.99, confidence, networks, cut=cut)

    return make


@pytest.fixture
def frames() -> Callable[..., list[FrameResult]]:
    """Each argument is the faces of one frame, a second apart."""

    def make(*faces: list[FaceResult]) -> list[FrameResult]:
        return [
            FrameResult(30 * at, float(at), face.confidence if (face := deciding_face(each)) else None, each)
            for at, each in enumerate(faces)
        ]

    return make


@pytest.fixture
def fake(bundle, clip, face, frames) -> Result:
    seen = frames([face(0.9)])
    return Result(
        "video", 1, 0.9, "FAKE", "low", ["few_faces"], 0.5, bundle.model, seen[0].faces[0].networks, {"intercept": 0.1},
        clip, [], seen, [], Provenance({}, NO_CREDENTIALS), {}, "2026-01-02T03:04:05+00:00",
        Timing(0.1, 0.1, 0.1, 0.1, 0.5),
    )  # fmt: skip
