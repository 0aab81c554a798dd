"""Which frames of a clip are analysed."""

from bisect import bisect_right
from collections.abc import Sequence

from deepfake_contract.sampling import step_of


def choose(sampling: str, frames: int, times: Sequence[float], end: float) -> list[int]:
    """Indices, ascending and distinct, of at most `frames` frames of a clip.

    `times` are the moments at which its frames are shown, ascending, `end` the moment the last one goes, all in one
    unit. "every_nth:5" takes frames 0, 5, 10, …; "even" divides the duration into `frames` equal parts and takes what
    is shown in the middle of each, and always as many frames as are asked for where the clip has them.
    """
    step, count = step_of(sampling), len(times)
    if step is not None:
        return list(range(0, count, step))[:frames]
    if count <= frames:
        return list(range(count))
    chosen: list[int] = []
    for part in range(frames):
        middle = times[0] + (end - times[0]) * (part + 0.5) / frames
        shown = bisect_right(times, middle) - 1
        # A clip of variable rate may show one frame for several parts: its neighbours stand in.
        lowest = chosen[-1] + 1 if chosen else 0
        chosen.append(min(max(shown, lowest), count - frames + part))
    return chosen
