"""High dynamic range is shown as its standard-range twin."""

import av
import numpy as np
import pytest
from deepfake_client.media.hdr import HLG, PQ, to_sdr

# Made here from the standards' primaries and curves in the direction of encoding, apart from the code under test.
BT709 = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
BT2020 = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
D65 = (0.3127, 0.3290)


def xyz_matrix(primaries) -> np.ndarray:
    """RGB to XYZ for these primaries and D65 (SMPTE RP 177)."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
    white = np.array([D65[0] / D65[1], 1, (1 - D65[0] - D65[1]) / D65[1]])
    return columns * np.linalg.solve(columns, white)


def hdr_twin(sdr: np.ndarray, transfer: int) -> np.ndarray:
    """uint8 [H, W, 3] in BT.709 as uint16 in BT.2020 with PQ or HLG, SDR white at 203 nits."""
    nits = 203 * (sdr / 255.0) ** 2.4
    wide = np.clip(nits @ (np.linalg.inv(xyz_matrix(BT2020)) @ xyz_matrix(BT709)).T, 0, None)
    if transfer == PQ:
        power = (wide / 10000) ** 0.1593017578125
        signal = ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    else:
        shown = wide / 1000
        luma = np.maximum(shown @ [0.2627, 0.6780, 0.0593], 1e-9)[..., None]
        scene = shown * luma ** (1 / 1.2 - 1)
        low = np.sqrt(3 * scene)
        high = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
        signal = np.where(scene <= 1 / 12, low, high)
    return (signal * 65535).round().astype(np.uint16)


@pytest.fixture(params=[PQ, HLG], ids=["PQ", "HLG"])
def transfer(request) -> int:
    return request.param


@pytest.fixture
def portrait(astronaut) -> np.ndarray:
    return astronaut[:288, :320]


def test_a_picture_comes_back_from_its_hdr_twin(transfer, portrait):
    shown = to_sdr(hdr_twin(portrait, transfer), transfer).astype(int)
    difference = np.abs(shown - portrait)
    # Only what is brighter than the knee is compressed; below it, rounding is all.
    below_knee = portrait.max(axis=2) < 225
    assert difference[below_knee].max() <= 2
    assert difference.mean() < 2.5


def test_hdr_video_is_shown_as_its_sdr_twin(transfer, portrait, tmp_path, load):
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
