"""How media become crops, and scores a verdict: a part of the bundle, since it was trained and measured with it."""

import re
from dataclasses import dataclass
from typing import Literal

EVERY_NTH = re.compile(r"every_nth:[1-9][0-9]*")


@dataclass(frozen=True)
class Policy:
    """`crop`: the faces or the whole frame; `face_margin` is added on each side of a box, as part of its longer side.

    `sampling`: at most `frames` frames, evenly over the clip or every nth from its start. A frame's score is that
    of its highest whole face; `aggregate` makes the clip's of them. FAKE from `threshold` up. `false_positive_rate`:
    measured at the threshold, None where unknown. Probabilities between the two of `uncertain` are called low in
    certainty.
    ValueError names a value out of range.
    """

    crop: Literal["face", "frame"]
    sampling: str
    frames: int
    aggregate: Literal["mean"]
    threshold: float
    uncertain: tuple[float, float]
    face_margin: float = 0.3
    false_positive_rate: float | None = None

    def __post_init__(self) -> None:
        low, high = self.uncertain
        rate = self.false_positive_rate
        for key, good, wanted in (
            ("crop", self.crop in ("face", "frame"), '"face" or "frame"'),
            ("sampling", self.sampling == "even" or EVERY_NTH.fullmatch(self.sampling), '"even" or "every_nth:5"'),
            ("frames", self.frames > 0, "above 0"),
            ("aggregate", self.aggregate == "mean", '"mean"'),
            ("threshold", 0 < self.threshold < 1, "between 0 and 1"),
            ("uncertain", 0 <= low <= high <= 1, "two probabilities, the lower first"),
            ("face_margin", 0 <= self.face_margin <= 2, "between 0 and 2"),
            ("false_positive_rate", rate is None or 0 <= rate <= 1, "between 0 and 1"),
        ):
            if not good:
                raise ValueError(f"{key} must be {wanted}, but is {getattr(self, key)!r}")
