"""Results and bundles in code, for the tests of rules and numbers."""

from collections.abc import Callable

import pytest
from deepfake_client.analysis.prepare import result_of_faces
from deepfake_client.analysis.served_bundle import ServedBundle
from deepfake_client.media.facts import NO_CREDENTIALS, MediaInfo, Provenance
from deepfake_client.results import FaceResult, FrameResult, Result, Timing
from deepfake_contract.description import BundleDescription, Identity, NetworkSpec
from deepfake_contract.policy import CertaintyRules, Policy
from deepfake_contract.stacking import Stacking

NETWORKS = ("first", "second")


@pytest.fixture
def bundle() -> ServedBundle:
    """Two networks, of which one has a title."""
    networks = (
        NetworkSpec("first", "tf_efficientnet_lite0", "first.pth", "The first"),
        NetworkSpec("second", "swin_tiny", "second.pth"),
    )
    policy = Policy(
        "face", "even", 32, "mean", 0.5, (0.35, 0.65), 0.3, false_positive_rate=0.04,
        certainty=CertaintyRules(0.5, 4, 0.25, 48.0, {"jpeg": 0.4, "h264": 0.012, "vp9": 0.006}),
    )  # fmt: skip
    stacking = Stacking((0.5, 0.4), (0.2, 0.25), (1.0, 2.0), 0.25)
    return ServedBundle(BundleDescription(Identity("test", "1"), "sha256:00", networks, policy, stacking), 8)


@pytest.fixture
def clip() -> MediaInfo:
    """A clip of 10 seconds with 0.1 bits a pixel and frame."""
    return MediaInfo("00", 2_592_000, "mp4", "h264", 960, 720, 10.0, 30.0)


@pytest.fixture
def face() -> Callable[..., FaceResult]:
    def make(confidence: float, track: int | None = 1, side: float = 100.0, networks=None, cut=False) -> FaceResult:
        box = (10.0, 10.0, side * 0.8, side)
        networks = networks or dict.fromkeys(NETWORKS, confidence)
        return FaceResult(track, box, box, 0.99, confidence, networks, cut=cut)

    return make


@pytest.fixture
def frames(bundle) -> Callable[..., list[FrameResult]]:
    """Each argument is the faces of one frame, a second apart."""

    def make(*faces: list[FaceResult]) -> list[FrameResult]:
        return [result_of_faces(30 * at, float(at), each, bundle.policy) for at, each in enumerate(faces)]

    return make


@pytest.fixture
def fake(bundle, clip, face, frames) -> Result:
    seen = frames([face(0.9)])
    return Result(
        "video", 1, 0.9, "FAKE", "low", ["few_faces"], 0.5, bundle.model, seen[0].faces[0].networks, {"intercept": 0.1},
        clip, [], seen, [], Provenance({}, NO_CREDENTIALS), {}, "2026-01-02T03:04:05+00:00",
        Timing(0.1, 0.1, 0.1, 0.1, 0.5),
    )  # fmt: skip
