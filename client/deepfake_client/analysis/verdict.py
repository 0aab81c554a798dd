"""From the frames' faces to tracks and a verdict."""

from collections import defaultdict
from dataclasses import dataclass
from statistics import fmean

from deepfake_contract.looks import logit

from deepfake_client.analysis.certainty import reasons
from deepfake_client.analysis.served_bundle import ServedBundle
from deepfake_client.media.facts import MediaInfo
from deepfake_client.results import Certainty, FaceResult, FrameResult, Label, TrackResult


@dataclass(frozen=True)
class Verdict:
    """The part of a Result that follows from its frames; all None at NO FACE."""

    confidence: float | None
    label: Label
    certainty: Certainty | None
    reasons: list[str]
    networks: dict[str, float] | None
    contributions: dict[str, float] | None


def verdict(
    frames: list[FrameResult], media: MediaInfo, bundle: ServedBundle, is_video: bool, truncated: bool = False
) -> Verdict:
    """The mean over the frames that have a face, each with the face that decides it.

    `networks` and `contributions` are means over those faces too; the contributions sum to the mean of the frames'
    logits (whose probability is near `confidence`, but a mean of logits is no logit of a mean). Where several faces
    were looked at, `faces` among them is the correction for that.
    """
    decided = [
        (frame.confidence, face) for frame in frames if frame.confidence is not None and (face := frame.deciding_face)
    ]
    if not decided:
        return Verdict(None, "NO FACE", None, [], None, None)
    confidence, deciding = fmean(score for score, _ in decided), [face for _, face in decided]
    networks = {name: fmean(face.networks[name] for face in deciding) for name in bundle.description.names}
    why = reasons(confidence, networks, frames, media, bundle.policy, is_video, truncated)
    return Verdict(
        confidence,
        "FAKE" if confidence >= bundle.policy.threshold else "REAL",
        "low" if why else "high",
        why,
        networks,
        # Linear in the probabilities: the mean of the contributions is the contribution of the means.
        bundle.description.contributions(networks) | _correction(decided),
    )


def _correction(decided: list[tuple[float, FaceResult]]) -> dict[str, float]:
    """What the number of faces adds, in logits; nothing where no frame was corrected for it."""
    shifts = [logit(score) - logit(face.confidence) for score, face in decided if score != face.confidence]
    return {"faces": sum(shifts) / len(decided)} if shifts else {}


def tracks(frames: list[FrameResult]) -> list[TrackResult]:
    """Each track's frames, mean probability and span, in the order of their numbers."""
    seen: dict[int, list[tuple[FrameResult, FaceResult]]] = defaultdict(list)
    for frame in frames:
        for face in frame.faces:
            if face.track is not None:
                seen[face.track].append((frame, face))
    return [
        TrackResult(
            id=track,
            confidence=fmean(face.confidence for _, face in shown),
            frames=len(shown),
            first_s=shown[0][0].time_s,
            last_s=shown[-1][0].time_s,
        )
        for track, shown in sorted(seen.items())
    ]
