"""Why an answer is of low certainty: one rule a reason, each with its number."""

from deepfake_client.analysis.served_bundle import Policy
from deepfake_client.results import FrameResult, MediaInfo, deciding_face

# Highest less lowest mean probability of the three networks: above it 34 % of lite's answers on held-out pictures were
# wrong, below it 9 %.
NETWORK_SPREAD = 0.5
FEW_FACE_FRAMES = 4  # fewer sampled frames of a clip with a face, where it has that many
FEW_FACE_SHARE = 0.25  # or a smaller share of them
SMALL_FACE_SIDE = 48  # pixels, median longer side of the faces that decide: the networks see 224
STRONG_BITS = {  # a pixel and frame, by codec; others are not judged
    "jpeg": 0.4,  # half of the shared faces are under it at quality 20, one in a hundred as they are, at 75
    "h264": 0.012,  # shared clips: 0.004 at c40, 0.045 and more otherwise
    "mpeg4": 0.012,
    "vp9": 0.006,  # these say the same in about half the bits
    "hevc": 0.006,
    "av1": 0.006,
}


def reasons(
    confidence: float,
    networks: dict[str, float],
    frames: list[FrameResult],
    media: MediaInfo,
    policy: Policy,
    is_video: bool,
    truncated: bool = False,
) -> list[str]:
    """The reasons that hold, in the order of the documentation; none means high certainty. `truncated`: a part of the
    picture is missing."""
    found = [face for frame in frames if (face := deciding_face(frame.faces))]
    sides = sorted(max(face.box[2:]) for face in found)
    low, high = policy.uncertain
    by_face = policy.crop == "face"
    rules = {
        "near_threshold": low <= confidence <= high,
        "networks_disagree": max(networks.values()) - min(networks.values()) > NETWORK_SPREAD,
        "few_faces": by_face and is_video and _few(len(found), len(frames)),
        "small_faces": by_face and sides[len(sides) // 2] < SMALL_FACE_SIDE,
        "strong_compression": _strongly_compressed(media, is_video),
        "truncated": truncated,
    }
    return [reason for reason, holds in rules.items() if holds]


def _few(found: int, looked_at: int) -> bool:
    return found < min(FEW_FACE_FRAMES, looked_at) or found < FEW_FACE_SHARE * looked_at


def _strongly_compressed(media: MediaInfo, is_video: bool) -> bool:
    frames = (media.duration_s or 0) * (media.frame_rate or 0) if is_video else 1
    strong = STRONG_BITS.get(media.codec)
    if not strong or not frames:
        return False
    return media.bytes * 8 / (media.width * media.height * frames) < strong
