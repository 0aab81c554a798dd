"""A clip's frames are analysed as players show them: in square pixels, and HDR at the price of a small part more."""

import statistics
import time
from fractions import Fraction

import av
import numpy as np
import pytest
from deepfake_client.detector import Detector
from deepfake_client.media import hdr
from deepfake_client.media.display import Display, square_size
from deepfake_client.media.hdr_frames import ToSdr
from deepfake_contract.errors import TooLargeError
from PIL import Image


@pytest.fixture
def anamorphic(tmp_path, write_clip):
    """A clip of 160 × 96 pixels of this shape, turned or with other pictures."""

    def write(aspect: Fraction, degrees: int = 0, name: str = "clip.mp4", codec: str = "libx264", **how):
        def prepare(stream):
            stream.codec_context.sample_aspect_ratio = aspect
            if degrees:
                stream.set_display_rotation(degrees)

        return write_clip(tmp_path / name, codec, prepare=prepare, **how)

    return write


@pytest.mark.parametrize(
    ("aspect", "width", "height"),
    [(Fraction(2), 320, 96), (Fraction(16, 11), 233, 96), (Fraction(1, 2), 160, 192), (Fraction(8, 9), 160, 108)],
)
@pytest.mark.parametrize(("name", "codec"), [("clip.mp4", "libx264"), ("clip.mkv", "libx264"), ("clip.avi", "mpeg4")])
def test_pixels_are_square_and_none_is_lost(name, codec, aspect, width, height, anamorphic, read_number, load):
    loaded = load(anamorphic(aspect, name=name, codec=codec))
    assert (loaded.info.width, loaded.info.height) == (width, height)
    assert {frame.image.shape for frame in loaded.frames} == {(height, width, 3)}
    assert len(loaded.frames) == 8
    assert loaded.warnings == []


def test_a_squeezed_picture_has_its_shape_back(tmp_path, write_clip, anamorphic, astronaut, load):
    wide = np.asarray(Image.fromarray(astronaut).resize((512, 256), Image.Resampling.BICUBIC))
    squeezed = np.asarray(Image.fromarray(wide).resize((256, 256), Image.Resampling.BICUBIC))
    options = {"crf": "4"}
    base = load(write_clip(tmp_path / "base.mp4", "libx264", pictures=[wide] * 10, times=range(10), options=options))
    shown = load(anamorphic(Fraction(2), pictures=[squeezed] * 10, times=range(10), options=options))
    one, other = base.frames[3].image.astype(int), shown.frames[3].image.astype(int)
    assert one.shape == other.shape
    assert np.abs(one - other).mean() < 6
    assert np.abs(one - other[:, ::-1]).mean() > 30


def test_a_turned_clip_is_widened_along_its_stored_rows(anamorphic, load):
    loaded = load(anamorphic(Fraction(2), degrees=90))
    assert (loaded.info.width, loaded.info.height) == (96, 320)
    assert loaded.frames[0].image.shape == (320, 96, 3)


def test_numbers_are_read_in_frames_that_were_widened(anamorphic, load):
    assert load(anamorphic(Fraction(2))).numbers == [3, 11, 18, 26, 33, 41, 48, 56]


@pytest.mark.parametrize("aspect", [Fraction(20), Fraction(1, 20)])
def test_an_unbelievable_shape_is_told_and_left_out(aspect, anamorphic, load):
    loaded = load(anamorphic(aspect))
    assert (loaded.info.width, loaded.info.height) == (160, 96)
    assert len(loaded.warnings) == 1 and "times as wide as high" in loaded.warnings[0]


def test_the_limit_on_pixels_counts_square_ones(anamorphic, load):
    with pytest.raises(TooLargeError, match="320 × 96"):
        load(anamorphic(Fraction(2)), max_pixels=25_000)


def test_no_shape_means_square_pixels():
    frame = av.VideoFrame(64, 48, "rgb24")
    assert Display(frame, None, 10_000).shown(frame).shape == (48, 64, 3)
    assert Display(frame, Fraction(0), 10_000).shown(frame).shape == (48, 64, 3)
    assert square_size(720, 576, Fraction(1)) == (720, 576)


def test_a_squeezed_clip_has_about_the_answer_of_its_base(triton, tmp_path, write_clip, anamorphic, astronaut):
    squeezed = np.asarray(Image.fromarray(astronaut).resize((256, 512), Image.Resampling.BICUBIC))
    base = write_clip(tmp_path / "base.mp4", "libx264", pictures=[astronaut] * 6, times=range(0, 600, 100))
    clip = anamorphic(Fraction(2), pictures=[squeezed] * 6, times=range(0, 600, 100))
    with Detector(triton) as detector:
        one, other = detector.analyze(base), detector.analyze(clip)
    assert other.confidence == pytest.approx(one.confidence, abs=0.15)
    assert np.array(other.frames[0].faces[0].box) == pytest.approx(np.array(one.frames[0].faces[0].box), abs=8)


@pytest.fixture(params=[hdr.PQ, hdr.HLG], ids=["PQ", "HLG"])
def transfer(request) -> int:
    return request.param


@pytest.fixture
def hdr_frame(astronaut, hdr_twin):
    """A 10-bit frame of this width, as a decoder gives it."""

    def make(transfer: int, width: int = 512) -> av.VideoFrame:
        picture = np.asarray(Image.fromarray(astronaut).resize((width, width)))
        frame = av.VideoFrame.from_ndarray(hdr_twin(picture, transfer), "rgb48le")
        frame = frame.reformat(format="yuv420p10le", dst_colorspace="BT2020", dst_color_range="MPEG")
        frame.color_trc, frame.color_primaries = transfer, 9
        return frame

    return make


def test_hdr_frames_are_shown_as_exact_arithmetic_has_them(transfer, hdr_frame):
    frame = hdr_frame(transfer)
    # By planes, as the display has it: FFmpeg spreads colour a little otherwise on its way to other forms.
    signal = frame.reformat(format="gbrp16le").to_ndarray(format="rgb48le")
    exact = hdr.to_sdr(signal, transfer).astype(int)
    display = ToSdr(transfer)
    for _ in range(3):  # one table serves all frames of a clip
        difference = np.abs(display.shown(frame) - exact)
        assert difference.mean() < 0.5
        assert np.percentile(difference, 99) <= 4


def test_hdr_frames_whose_size_changes_are_shown(transfer, hdr_frame):
    display = Display(hdr_frame(transfer), None, 1 << 20)
    assert [display.shown(hdr_frame(transfer, side)).shape[0] for side in (512, 256, 512)] == [512, 256, 512]


def test_hdr_frames_are_exact_where_ffmpeg_looks_up_wrongly(transfer, hdr_frame, monkeypatch):
    monkeypatch.setattr("deepfake_client.media.hdr_frames.ORDERS", ((1, 0, 2),))
    frame = hdr_frame(transfer)
    exact = hdr.to_sdr(frame.to_ndarray(format="rgb48le"), transfer)
    assert np.array_equal(ToSdr(transfer).shown(frame), exact)


def test_squeezed_hdr_is_widened_too(transfer, hdr_frame, astronaut):
    shown = Display(hdr_frame(transfer), Fraction(2), 1 << 20).shown(hdr_frame(transfer))
    wide = np.asarray(Image.fromarray(astronaut).resize((1024, 512), Image.Resampling.BICUBIC))
    assert np.abs(shown.astype(int) - wide).mean() < 6


def test_an_hdr_clip_takes_at_most_twice_what_its_sdr_twin_takes(triton, tmp_path, astronaut, hdr_twin):
    """Whole analyses of 4K in turns; every frame is analysed, so that nothing but showing them weighs."""
    picture = np.asarray(Image.fromarray(astronaut).resize((3840, 3840)))[:2160]
    write(tmp_path / "sdr.mp4", picture, "rgb24", "yuv420p", "ITU709", (1, 1, 1))
    write(tmp_path / "hdr.mp4", hdr_twin(picture, hdr.PQ), "rgb48le", "yuv420p10le", "BT2020", (hdr.PQ, 9, 9))
    taken: dict[str, list[float]] = {"sdr": [], "hdr": []}
    with Detector(triton) as detector:
        detector.analyze(tmp_path / "sdr.mp4")
        for name in ("sdr", "hdr", "hdr", "sdr", "sdr", "hdr"):
            begun = time.perf_counter()
            result = detector.analyze(tmp_path / f"{name}.mp4")
            taken[name].append(time.perf_counter() - begun)
            assert result.frames_processed == 8
    assert statistics.median(taken["hdr"]) <= 2 * statistics.median(taken["sdr"])


def write(path, picture: np.ndarray, given: str, form: str, matrix: str, codes: tuple[int, int, int]) -> None:
    """Eight times the same picture, as H.265; `codes` are transfer, primaries, matrix."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx265", rate=8, options={"preset": "ultrafast", "crf": "20", "x265-params": "log-level=none"}
        )
        stream.height, stream.width = picture.shape[:2]
        stream.pix_fmt = form
        context = stream.codec_context
        context.color_trc, context.color_primaries, context.colorspace = codes
        context.color_range = 1
        frame = av.VideoFrame.from_ndarray(picture, given)
        frame = frame.reformat(format=form, dst_colorspace=matrix, dst_color_range="MPEG")
        for at in range(8):
            frame.pts = at
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
