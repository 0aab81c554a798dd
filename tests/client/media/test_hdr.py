"""High dynamic range is shown as its standard-range twin."""

import av
import numpy as np
import pytest
from deepfake_client.media.hdr import HLG, PQ, to_sdr


@pytest.fixture(params=[PQ, HLG], ids=["PQ", "HLG"])
def transfer(request) -> int:
    return request.param


@pytest.fixture
def portrait(astronaut) -> np.ndarray:
    return astronaut[:288, :320]


def test_a_picture_comes_back_from_its_hdr_twin(transfer, portrait, hdr_twin):
    shown = to_sdr(hdr_twin(portrait, transfer), transfer).astype(int)
    difference = np.abs(shown - portrait)
    # Only what is brighter than the knee is compressed; below it, rounding is all.
    below_knee = portrait.max(axis=2) < 225
    assert difference[below_knee].max() <= 2
    assert difference.mean() < 2.5


def test_hdr_video_is_shown_as_its_sdr_twin(transfer, portrait, tmp_path, load, hdr_twin):
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx265", rate=30, options={"crf": "8", "x265-params": "log-level=none"})
        stream.height, stream.width = portrait.shape[:2]
        stream.pix_fmt = "yuv420p10le"
        context = stream.codec_context
        context.color_trc, context.color_primaries, context.colorspace, context.color_range = transfer, 9, 9, 1
        frame = av.VideoFrame.from_ndarray(hdr_twin(portrait, transfer), "rgb48le")
        frame = frame.reformat(format="yuv420p10le", dst_colorspace="BT2020", dst_color_range="MPEG")
        for at in range(10):
            frame.pts = at
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    loaded = load(path)
    assert len(loaded.frames) == 8
    for each in loaded.frames:
        difference = np.abs(each.image.astype(int) - portrait)
        assert difference.mean() < 5
        # Undone, the curve alone would be off by tens; colours must not lean either.
        assert np.abs((each.image.astype(float) - portrait).mean(axis=(0, 1))).max() < 4


def test_highlights_above_white_keep_their_hue_and_order(transfer):
    ramp = np.zeros((1, 64, 3), np.uint16)
    ramp[0, :, 0] = np.linspace(40000, 62000, 64)
    ramp[0, :, 1] = np.linspace(30000, 46000, 64)
    ramp[0, :, 2] = np.linspace(30000, 46000, 64)
    shown = to_sdr(ramp, transfer)[0].astype(int)
    assert np.all(np.diff(shown[:, 0]) >= 0)
    assert np.all(shown[:, 0] > shown[:, 1])
    assert shown.max() <= 255
