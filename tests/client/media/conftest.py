"""Media made in code. A clip's frames carry their number as black and white stripes, so that a frame can be told from
every other after any codec; the lower half is red on the left, blue on the right, so that turning shows."""

import io
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from deepfake_client.media import Frame, open_media
from deepfake_client.media.facts import MediaInfo, Provenance
from deepfake_client.settings import ClientSettings
from PIL import Image

BITS = 8
WIDTH, HEIGHT = 160, 96  # of a numbered picture; a stripe is 20 pixels


@dataclass
class Loaded:
    """A file, read to its end."""

    kind: str
    info: MediaInfo
    provenance: Provenance
    frames_expected: int
    frames: list[Frame]
    warnings: list[str]

    @property
    def indices(self) -> list[int]:
        return [frame.index for frame in self.frames]

    @property
    def numbers(self) -> list[int]:
        return [read_number(frame.image) for frame in self.frames]


def numbered(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """The picture of this number, uint8 [H, W, 3]."""
    picture = np.zeros((height, width, 3), np.uint8)
    stripes = np.array([number >> bit & 1 for bit in range(BITS)], np.uint8) * 255
    picture[: height // 2] = np.repeat(stripes, width // BITS)[None, :, None]
    picture[height // 2 :, : width // 2] = (230, 20, 20)
    picture[height // 2 :, width // 2 :] = (20, 20, 230)
    return picture


def read_number(picture: np.ndarray) -> int:
    """The number of a numbered picture; fails where it is not one, or not upright."""
    height, width, _ = picture.shape
    below = picture[height * 3 // 4].astype(int)
    assert below[width // 4][0] > below[width // 4][2] + 80, "no red on the lower left"
    assert below[width * 3 // 4][2] > below[width * 3 // 4][0] + 80, "no blue on the lower right"
    stripes = picture[height // 4 - 4 : height // 4 + 4].mean(axis=(0, 2)).reshape(BITS, -1).mean(axis=1)
    assert np.all((stripes < 70) | (stripes > 185)), f"stripes are neither black nor white: {stripes}"
    return sum(1 << bit for bit in range(BITS) if stripes[bit] > 127)


def write_clip(
    path: Path,
    codec: str,
    *,
    count: int = 60,
    form: str | None = None,
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    times: Iterable[int] | None = None,
    pictures: Iterable[np.ndarray] | None = None,
    prepare: Callable[[av.VideoStream], None] | None = None,
    sound: bool = False,
) -> Path:
    """A clip of numbered frames at 30 a second, or of these pictures, or shown at these times in thousandths."""
    moments = list(times) if times is not None else list(range(count))
    shown = list(pictures) if pictures is not None else [numbered(each) for each in range(len(moments))]
    unit = Fraction(1, 1000) if times is not None else Fraction(1, 30)
    with av.open(str(path), "w", format=form, options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=30, options=options or {})
        stream.pix_fmt, stream.time_base, stream.gop_size = pix_fmt, unit, 12
        stream.codec_context.time_base = unit
        stream.height, stream.width = shown[0].shape[:2]
        speaker = container.add_stream("aac" if path.suffix != ".webm" else "libopus", rate=48000) if sound else None
        if prepare:
            prepare(stream)
        for at, picture in zip(moments, shown, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format=pix_fmt)
            frame.pts, frame.time_base = at, unit
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if speaker is not None:
            write_silence(container, speaker, seconds=count / 30)
    # SVT-AV1 gives a thread of root that encodes with it real-time priority, which all it starts later would inherit.
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return path


def write_silence(container: av.container.OutputContainer, stream: av.AudioStream, seconds: float) -> None:
    """Silence, in the frames that the encoder wants."""
    samples = 960
    for at in range(round(seconds * 48000) // samples):
        frame = av.AudioFrame.from_ndarray(np.zeros((2, samples), np.float32), "fltp", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48000, at * samples, Fraction(1, 48000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


@pytest.fixture
def load() -> Callable[..., Loaded]:
    """Reads a file to its end: `load(path, sampling="even", frames=8, max_pixels=…)`."""

    def load(path: Path | str, sampling: str = "even", frames: int = 8, **limits: float | str) -> Loaded:
        assert set(limits) <= {each.name for each in fields(ClientSettings)}
        with open_media(path, sampling, frames, ClientSettings(**limits)) as media:
            return Loaded(media.kind, media.info, media.provenance, media.frames_expected, list(media), media.warnings)

    return load


@pytest.fixture(name="write_clip")
def _write_clip() -> Callable[..., Path]:
    return write_clip


@pytest.fixture(name="numbered")
def _numbered() -> Callable[..., np.ndarray]:
    return numbered


@pytest.fixture(name="read_number")
def _read_number() -> Callable[[np.ndarray], int]:
    return read_number


@pytest.fixture(name="write_silence")
def _write_silence() -> Callable[..., None]:
    return write_silence


@pytest.fixture(scope="session")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """220 frames of 1280 × 720; all of them, 600 MB, are far more than may wait to be read."""
    path = tmp_path_factory.mktemp("clips") / "long.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for at in range(220):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((720, 1280, 3), at, np.uint8))))
        container.mux(stream.encode())
    return path


def children_of(process: int | str = "self") -> set[int]:
    """The processes that a process started and that are not gone."""
    tasks = Path(f"/proc/{process}/task")
    return {int(child) for task in tasks.iterdir() for child in (task / "children").read_text().split()}


@pytest.fixture
def children() -> Callable[..., set[int]]:
    return children_of


@dataclass
class Running:
    """An open clip with its first frame read, and the process that decodes it."""

    process: int
    frames: Iterator[Frame]


@pytest.fixture
def running(long_clip: Path) -> Iterator[Running]:
    before = children_of()
    limits = ClientSettings(decoder_memory_bytes=1500 << 20, decoder_cpu_s=77, analysis_deadline_s=60)
    with open_media(long_clip, "even", 1000, limits) as media:
        frames = iter(media)
        next(frames)
        (process,) = children_of() - before
        yield Running(process, frames)


@pytest.fixture
def repeated_gif() -> Callable[[int, int], bytes]:
    """`repeated_gif(count, side)`: a small file of many frames, side × side pixels, a fiftieth of a second each."""

    def repeated_gif(count: int, side: int) -> bytes:
        buffer = io.BytesIO()
        Image.new("P", (side, side)).save(buffer, "GIF")
        data = buffer.getvalue()
        at = data.index(b",\x00\x00\x00\x00")
        control = b"!\xf9\x04\x00\x02\x00\x00\x00"
        return data[:at] + (control + data[at:-1]) * count + b";"

    return repeated_gif


# Made here from the standards' primaries and curves in the direction of encoding, apart from the code under test.
BT709 = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
BT2020 = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
D65 = (0.3127, 0.3290)


def xyz_matrix(primaries: tuple[tuple[float, float], ...]) -> np.ndarray:
    """RGB to XYZ for these primaries and D65 (SMPTE RP 177)."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
    white = np.array([D65[0] / D65[1], 1, (1 - D65[0] - D65[1]) / D65[1]])
    return columns * np.linalg.solve(columns, white)


def write_hdr_twin(sdr: np.ndarray, transfer: int) -> np.ndarray:
    """uint8 [H, W, 3] in BT.709 as uint16 in BT.2020 with PQ or HLG, SDR white at 203 nits."""
    nits = 203 * (sdr / 255.0) ** 2.4
    wide = np.clip(nits @ (np.linalg.inv(xyz_matrix(BT2020)) @ xyz_matrix(BT709)).T, 0, None)
    if transfer == 16:
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


@pytest.fixture
def hdr_twin() -> Callable[[np.ndarray, int], np.ndarray]:
    return write_hdr_twin
