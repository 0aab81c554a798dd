"""Following faces over the sampled frames of a clip, which may be a second apart."""

import math

from deepfake_client.faces.box import Box

REACH = 2.0  # how far a face may move between two sampled frames, in its own sides
MAX_GROWTH = 2.0  # how much larger or smaller it may become
MEMORY = 8  # sampled frames without a face, after which its track ends


class Tracker:
    """Gives each face the number of its track, from 1 on.

    Greedy: of all pairs of a track and a face that are near enough in place and size, the nearest first. Position and
    size only: two people who change places between two sampled frames, or a cut, can be taken for one.
    """

    def __init__(self) -> None:
        self._last: dict[int, tuple[Box, int]] = {}  # track: its last box, and in which frame
        self._frames = 0
        self._tracks = 0

    def follow(self, boxes: list[Box]) -> list[int]:
        """The next sampled frame's boxes (x, y, width, height in pixels) to their tracks' numbers."""
        self._frames += 1
        self._last = {track: seen for track, seen in self._last.items() if self._frames - seen[1] <= MEMORY}
        pairs = sorted(
            (cost, track, face)
            for track, (last, _) in self._last.items()
            for face, box in enumerate(boxes)
            if (cost := distance(last, box)) is not None
        )
        found: dict[int, int] = {}
        for _, track, face in pairs:
            if face not in found and track not in found.values():
                found[face] = track
        for face, box in enumerate(boxes):
            if face not in found:
                self._tracks += 1
                found[face] = self._tracks
            self._last[found[face]] = box, self._frames
        return [found[face] for face in range(len(boxes))]


def distance(one: Box, other: Box) -> float | None:
    """Between two boxes: of the centres in mean sides, plus the logarithm of the growth; None where out of reach."""
    side, other_side = max(one[2:]), max(other[2:])
    apart = math.hypot(one[0] + one[2] / 2 - other[0] - other[2] / 2, one[1] + one[3] / 2 - other[1] - other[3] / 2) / (
        (side + other_side) / 2
    )
    growth = abs(math.log(side / other_side))
    return None if apart > REACH or growth > math.log(MAX_GROWTH) else apart + growth
