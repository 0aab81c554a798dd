"""Why an answer is of low certainty: one rule a reason, each with the number that its bundle measured."""

from deepfake_contract.policy import CertaintyRules, Policy

from deepfake_client.media.facts import MediaInfo
from deepfake_client.results import FrameResult


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
    rules = policy.certainty
    found = [face for frame in frames if (face := frame.deciding_face)]
    sides = sorted(max(face.box[2:]) for face in found)
    low, high = policy.uncertain
    by_face = policy.crop == "face"
    holding = {
        "near_threshold": low <= confidence <= high,
        "networks_disagree": max(networks.values()) - min(networks.values()) > (rules.network_spread or 1),
        "few_faces": by_face and is_video and _few(len(found), len(frames), rules),
        "small_faces": by_face and sides[len(sides) // 2] < (rules.small_face_side or 0),
        "strong_compression": _strongly_compressed(media, is_video, rules),
        "truncated": truncated,
    }
    return [reason for reason, holds in holding.items() if holds]


def unmeasured(policy: Policy) -> list[str]:
    """The rules that the bundle has no number for, of those that its kind of crop can have."""
    rules, by_face = policy.certainty, policy.crop == "face"
    lacking = {
        "networks that disagree": rules.network_spread is None,
        "few frames with a face": by_face and rules.few_face_frames is None and rules.few_face_share is None,
        "small faces": by_face and rules.small_face_side is None,
        "strong compression": not rules.strong_compression,
    }
    return [rule for rule, lacks in lacking.items() if lacks]


def _few(found: int, analysed: int, rules: CertaintyRules) -> bool:
    return found < min(rules.few_face_frames or 0, analysed) or found < (rules.few_face_share or 0) * analysed


def _strongly_compressed(media: MediaInfo, is_video: bool, rules: CertaintyRules) -> bool:
    """By the bits for each pixel and frame."""
    frames = (media.duration_s or 0) * (media.frame_rate or 0) if is_video else 1
    strong = rules.strong_compression.get(media.codec)
    if not strong or not frames:
        return False
    return media.bytes * 8 / (media.width * media.height * frames) < strong
