"""Files degraded before the detector sees them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np
from deepfake_contract.errors import DamagedMediaError
from PIL import Image

from deepfake_training.crops import read_picture
from deepfake_training.data import Sample

CLIPS = {".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".wmv", ".3gp"}
SEED = 7


@dataclass(frozen=True)
class Degradation:
    """`apply` writes the file at the first path, degraded, to the second, whose name has no suffix yet, and returns
    where it went."""

    name: str
    clips: bool
    apply: Callable[[Path, Path], Path]


def is_clip(sample: Sample) -> bool:
    return sample.path.suffix.lower() in CLIPS


def degraded(sample: Sample, target: Path, degradation: Degradation) -> Path:
    """The file degraded, at `target` and a suffix; DamagedMediaError where it can't be read here."""
    try:
        return degradation.apply(sample.path, target)
    except (OSError, IndexError, av.FFmpegError) as cause:
        raise DamagedMediaError(f"{sample.name} could not be degraded ({cause}).") from cause


def jpeg(quality: int, source: Path, target: Path) -> Path:
    target = target.with_suffix(".jpg")
    Image.fromarray(read_picture(source)).save(target, quality=quality)
    return target


def scale(factor: float, source: Path, target: Path) -> Path:
    """The picture itself gets smaller; nothing brings it back."""
    image = Image.fromarray(read_picture(source))
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    return _png(np.asarray(image.resize(size, Image.Resampling.LANCZOS)), target)


def blur(sigma: float, source: Path, target: Path) -> Path:
    return _png(cv2.GaussianBlur(read_picture(source), (0, 0), sigma), target)


def noise(sigma: float, source: Path, target: Path) -> Path:
    image = read_picture(source)
    grain = np.random.default_rng(SEED).normal(0, sigma, image.shape)
    return _png((image + grain).round().clip(0, 255).astype(np.uint8), target)


def h264(crf: int, source: Path, target: Path) -> Path:
    """The clip's first video stream coded anew; size, frames, times and the way up kept."""
    target = target.with_suffix(".mp4")
    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        given = reader.streams.video[0]
        stream = writer.add_stream("libx264", rate=given.average_rate or 25, options={"crf": str(crf)})
        # 4:2:0 has no odd sides.
        stream.width, stream.height, stream.pix_fmt = given.width // 2 * 2, given.height // 2 * 2, "yuv420p"
        if given.time_base is not None:
            stream.codec_context.time_base = given.time_base
        turned = False
        for frame in reader.decode(given):
            if frame.rotation and not turned:
                stream.set_display_rotation(frame.rotation)
                turned = True
            frame.pict_type = av.video.frame.PictureType.NONE
            writer.mux(stream.encode(frame.reformat(stream.width, stream.height, "yuv420p")))
        writer.mux(stream.encode(None))
    return target


def _png(image: np.ndarray, target: Path) -> Path:
    target = target.with_suffix(".png")
    Image.fromarray(image).save(target, compress_level=1)
    return target


DEGRADATIONS = (
    *(Degradation(f"JPEG {quality}", False, partial(jpeg, quality)) for quality in (90, 70, 50, 30)),
    *(Degradation(f"scale {factor}", False, partial(scale, factor)) for factor in (0.5, 0.25)),
    *(Degradation(f"blur {sigma}", False, partial(blur, sigma)) for sigma in (1, 2)),
    *(Degradation(f"noise {sigma}", False, partial(noise, sigma)) for sigma in (5, 10)),
    *(Degradation(f"H.264 CRF {crf}", True, partial(h264, crf)) for crf in (23, 32, 40)),
)
