"""A clip made in code, and the time from file to verdict: served, and by the original's recipe."""

import statistics
import time
from pathlib import Path

import numpy as np
from deepfake_export.examples import portrait
from recipe import Recipe

FRAMES, RATE = 160, 25  # every fifth is looked at: 32
SIZE = (480, 360)  # width, height, pixels


def make_clip(path: Path) -> Path:
    """A portrait that drifts through the frame, as H.264 where it can be encoded, else MPEG-4."""
    import av

    picture = portrait()
    with av.open(str(path), "w") as container:
        codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
        stream = container.add_stream(codec, rate=RATE)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for number in range(FRAMES):
            left = number % (picture.width - SIZE[0])
            frame = np.asarray(picture.crop((left, 60, left + SIZE[0], 60 + SIZE[1])))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        container.mux(stream.encode())
    return path


def file_to_verdict(clip: Path, address: str, recipe: Recipe, rounds: int) -> str:
    """Medians of interleaved rounds, and the difference of the two verdicts' probabilities, as a sentence."""
    from deepfake_client import Detector

    served, original = [], []
    with Detector(address) as detector:
        detector.analyze(clip)  # warm-up
        recipe.clip(clip)
        for _ in range(rounds):
            start = time.perf_counter()
            result = detector.analyze(clip)
            served.append(time.perf_counter() - start)
            start = time.perf_counter()
            expected = recipe.clip(clip)
            original.append(time.perf_counter() - start)
    ours, theirs = statistics.median(served), statistics.median(original)
    difference = abs(result.confidence - expected)
    return (
        f"{SIZE[0]}×{SIZE[1]}, {result.frames_processed} frames looked at: served {ours:.2f} s, recipe {theirs:.2f} s "
        f"({theirs / ours:.1f} times), medians of {rounds}; probabilities differ by {difference:.1e}"
    )
