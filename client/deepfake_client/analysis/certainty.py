"""Why an answer is of low certainty: one rule a reason, each with the number that its bundle measured."""

from dataclasses import dataclass

from deepfake_contract.policy import CertaintyRules, Policy

from deepfake_client.media.facts import MediaInfo
from deepfake_client.results import FrameResult


@dataclass(frozen=True)
class Measured:
    """What the rules judge an answer by, and `deepfake evaluate` measures them on; None where a rule does not apply.

    `network_spread`: highest minus lowest mean probability of the networks. `face_frames`: how many of the `frames`
    analysed show a face, of clips. `face_side`: median longer side of the faces that decide, pixels. `bits`: for each
    pixel and frame, of a file in `codec`.
    """

    confidence: float
    network_spread: float
    frames: int
    face_frames: int | None
    face_side: float | None
    codec: str
    bits: float | None


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
    holding = rules_that_hold(measured(confidence, networks, frames, media, policy, is_video), policy)
    return [*holding, "truncated"] if truncated else holding


def measured(
    confidence: float,
    networks: dict[str, float],
    frames: list[FrameResult],
    media: MediaInfo,
    policy: Policy,
    is_video: bool,
) -> Measured:
    """Of an answer, which has a face at least."""
    by_face = policy.crop == "face"
    sides = sorted(max(face.box[2:]) for frame in frames if (face := frame.deciding_face))
    return Measured(
        confidence=confidence,
        network_spread=max(networks.values()) - min(networks.values()),
        frames=len(frames),
        face_frames=len(sides) if by_face and is_video else None,
        face_side=sides[len(sides) // 2] if by_face else None,
        codec=media.codec,
        bits=_bits(media, is_video),
    )


def rules_that_hold(of: Measured, policy: Policy) -> list[str]:
    """The policy's, as reasons."""
    rules = policy.certainty
    low, high = policy.uncertain
    holding = {
        "near_threshold": low <= of.confidence <= high,
        "networks_disagree": of.network_spread > (rules.network_spread or 1),
        "few_faces": of.face_frames is not None and _few(of.face_frames, of.frames, rules),
        "small_faces": of.face_side is not None and of.face_side < (rules.small_face_side or 0),
        "strong_compression": of.bits is not None and of.bits < rules.strong_compression.get(of.codec, 0),
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


def _bits(media: MediaInfo, is_video: bool) -> float | None:
    """For each pixel and frame; None where the file does not say how many frames it has."""
    frames = (media.duration_s or 0) * (media.frame_rate or 0) if is_video else 1
    return media.bytes * 8 / (media.width * media.height * frames) if frames else None
