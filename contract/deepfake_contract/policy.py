"""How media become crops, and scores a verdict: a part of the bundle, since it was trained and measured with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from deepfake_contract.looks import REACHED_BY
from deepfake_contract.sampling import step_of

CROP_SIDE = 224  # pixels, where a bundle says nothing else


@dataclass(frozen=True)
class CertaintyRules:
    """Limits beyond which an answer is of low certainty; `deepfake evaluate` measures them on a bundle.

    A rule whose number is None, and a codec without an entry, is not applied. `network_spread`: highest minus lowest
    mean probability of the networks. `few_face_frames` and `few_face_share`: fewer analysed frames of a clip with a
    face, or a smaller share of them. `small_face_side`: median longer side of the deciding faces, pixels.
    `strong_compression`: bits for each pixel and frame, by codec.
    """

    network_spread: float | None = None
    few_face_frames: int | None = None
    few_face_share: float | None = None
    small_face_side: float | None = None
    strong_compression: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        given = {name: value for name, value in vars(self).items() if isinstance(value, (int, float))}
        given |= {f"strong_compression {codec}": bits for codec, bits in self.strong_compression.items()}
        for name, value in given.items():
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
                raise ValueError(f"{name} must be a number above 0, but is {value!r}")


@dataclass(frozen=True)
class Policy:
    """`crop`: the faces or the whole frame, `crop_side` pixels wide and high; `face_margin` is added on each side of a
    box, as part of its longer side.

    `sampling`: at most `frames` frames, spread evenly over the clip or every nth from its start. A frame's score is the
    highest of its faces that the picture's edge does not cut, corrected for how many there are by `real_scores` (what
    real faces reach, see looks.py; None: no correction); the clip's score is the mean (`aggregate`) of its frames'.
    FAKE from `threshold` up, which decides the label and nothing else. `false_positive_rate`: measured at the
    threshold, None where unknown. Probabilities between the two of `uncertain` are of low certainty, as are those that
    `certainty` names.

    A score of at least `fake_from` is strong evidence of a fake, one below `real_below` of a real: both measured on
    sources that the networks never learnt from. Where one is None, such an answer is never given.

    ValueError names a value out of range.
    """

    crop: Literal["face", "frame"]
    sampling: str
    frames: int
    aggregate: Literal["mean"]
    threshold: float
    uncertain: tuple[float, float]
    face_margin: float = 0.0
    crop_side: int = CROP_SIDE
    false_positive_rate: float | None = None
    certainty: CertaintyRules = CertaintyRules()
    fake_from: float | None = None
    real_below: float | None = None
    real_scores: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        step_of(self.sampling)
        low, high = self.uncertain
        rate, fake, real = self.false_positive_rate, self.fake_from, self.real_below
        reached = self.real_scores
        for key, good, wanted in (
            ("crop", self.crop in ("face", "frame"), '"face" or "frame"'),
            ("frames", self.frames > 0, "above 0"),
            ("aggregate", self.aggregate == "mean", '"mean"'),
            ("threshold", 0 < self.threshold < 1, "between 0 and 1"),
            ("uncertain", 0 <= low <= high <= 1, "two probabilities, the lower first"),
            ("face_margin", 0 <= self.face_margin <= 2, "between 0 and 2"),
            ("crop_side", 32 <= self.crop_side <= 1024, "between 32 and 1024 pixels"),
            ("false_positive_rate", rate is None or 0 <= rate <= 1, "between 0 and 1"),
            ("fake_from", fake is None or 0 <= fake <= 1, "between 0 and 1"),
            ("real_below", real is None or 0 <= real <= 1, "between 0 and 1"),
            ("real_below", fake is None or real is None or real < fake, f"below fake_from ({fake})"),
            ("real_scores", reached is None or _rise(reached), f"{len(REACHED_BY)} rising numbers between 0 and 1"),
        ):
            if not good:
                raise ValueError(f"{key} must be {wanted}, but is {getattr(self, key)!r}")


def _rise(scores: tuple[float, ...]) -> bool:
    ends = (0.0, *scores, 1.0)
    return len(scores) == len(REACHED_BY) and all(low < high for low, high in pairwise(ends))
