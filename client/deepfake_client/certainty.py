"""Why an answer is of low certainty: one rule a reason, each with its number."""

from deepfake_client.results import FrameResult, MediaInfo
from deepfake_client.served_bundle import Policy

NETWORK_SPREAD = 0.5  # highest less lowest mean probability of the three networks
FEW_FACE_FRAMES = 4  # fewer sampled frames of a clip with a face, where it has that many
FEW_FACE_SHARE = 0.25  # or a smaller share of them
SMALL_FACE_SIDE = 48  # pixels, median longer side of the faces that decide: the networks see 224
STRONG_VIDEO_BITS = 0.012  # a pixel and frame: the shared clips have 0.004 at c40, and 0.037 or more otherwise
STRONG_PICTURE_BITS = 0.4  # a pixel, about a JPEG of quality 25


def reasons(
    confidence: float,
    networks: dict[str, float],
    frames: list[FrameResult],
    media: MediaInfo,
    policy: Policy,
    is_video: bool,
) -> list[str]:
    """The reasons that hold, in the order of the documentation; none means high certainty."""
    found = [frame for frame in frames if frame.faces]
    sides = sorted(max(_deciding_box(frame)[2:]) for frame in found)
    low, high = policy.uncertain
    by_face = policy.crop == "face"
    rules = {
        "near_threshold": low <= confidence <= high,
        "networks_disagree": max(networks.values()) - min(networks.values()) > NETWORK_SPREAD,
        "few_faces": by_face and is_video and _few(len(found), len(frames)),
        "small_faces": by_face and sides[len(sides) // 2] < SMALL_FACE_SIDE,
        "strong_compression": _strongly_compressed(media, is_video),
    }
    return [reason for reason, holds in rules.items() if holds]


def _deciding_box(frame: FrameResult):
    return max(frame.faces, key=lambda face: face.confidence).box


def _few(found: int, looked_at: int) -> bool:
    return found < min(FEW_FACE_FRAMES, looked_at) or found < FEW_FACE_SHARE * looked_at


def _strongly_compressed(media: MediaInfo, is_video: bool) -> bool:
    pixels = media.width * media.height
    if not is_video:
        return media.bytes * 8 / pixels < STRONG_PICTURE_BITS
    if not media.duration_s or not media.frame_rate:
        return False
    return media.bytes * 8 / (pixels * media.duration_s * media.frame_rate) < STRONG_VIDEO_BITS
