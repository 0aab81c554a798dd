"""Real clips, where they are at hand: the frames that an independent reading gives."""

from pathlib import Path

import av
import numpy as np
import pytest

VIDEOS = Path(__file__).parents[4] / "shared/data/videos"
NAMES = sorted(each.name for each in VIDEOS.glob("*.*") if each.suffix != ".csv") or ["none"]


@pytest.fixture(params=NAMES)
def clip(request) -> Path:
    if request.param == "none":
        pytest.skip(f"no clips in {VIDEOS.name} beside the clone")
    return VIDEOS / request.param


def test_real_clip_gives_the_frames_of_a_full_decoding(clip, load):
    loaded = load(clip, frames=6)
    assert len(loaded.frames) == loaded.frames_expected == 6
    assert loaded.warnings == []
    wanted = {frame.index: frame for frame in loaded.frames}
    count = 0
    with av.open(str(clip)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for index, frame in enumerate(container.decode(video=0)):
            count += 1
            if index in wanted:
                # A copy: rows of odd widths are padded, and can't be viewed as they are.
                expected = frame.reformat(format="rgb24").to_image()
                assert np.array_equal(wanted[index].image, np.asarray(expected))
                assert wanted[index].time_s == pytest.approx(frame.time, abs=0.002)
    # The middle of a part may be the very moment between two frames: either is right.
    assert list(wanted) == pytest.approx([(part + 0.5) * count / 6 - 0.5 for part in range(6)], abs=1)
    assert loaded.info.duration_s == pytest.approx(count / loaded.info.frame_rate, rel=0.01)
