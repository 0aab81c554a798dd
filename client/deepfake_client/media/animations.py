"""Samples the frames of an animated picture: GIF, WebP, PNG, AVIF."""

from collections.abc import Callable, Iterator

from deepfake_contract.errors import DamagedMediaError, TooLargeError
from PIL import Image

from deepfake_client.media import colour, declared, tags
from deepfake_client.media.chosen_frames import choose
from deepfake_client.media.frame import Frame, Opened, Request
from deepfake_client.media.pixels import check_size

FORMATS = {"GIF", "WEBP", "PNG", "AVIF"}
MAX_FRAMES = 20_000  # of an animation; each must be drawn to learn how long it is shown
SHORTEST_S = 0.1  # browsers show a frame that names no time, or under 20 ms, for so long


def moves(image: Image.Image) -> bool:
    """Whether the opened picture has several frames; not for the still that a PNG may hold beside a single one."""
    if not getattr(image, "is_animated", False):
        return False
    return image.format != "PNG" or image.n_frames - bool(image.default_image) > 1  # type: ignore[attr-defined]


def read(
    image: Image.Image, codec: str, request: Request, anew: Callable[[], Image.Image]
) -> Iterator[Opened | Frame | str]:
    """The chosen frames, after what the animation is. `anew` opens it again: Pillow does not find the way back to the
    first frame of every one."""
    times, damaged = _times(image, request)
    duration_s = times[-1]
    if duration_s > request.max_duration_s:
        raise TooLargeError(
            f"The animation lasts {duration_s:.0f} seconds; the most is {request.max_duration_s:g} "
            "(DEEPFAKE_MAX_DURATION_S)."
        )
    chosen = choose(request.sampling, request.frames, times[:-1], duration_s)
    rate = round((len(times) - 1) / duration_s, 3)
    told = tags.of_picture(image)
    said = declared.of_picture(image, told)
    yield Opened("video", codec, *image.size, round(duration_s, 3), rate, len(chosen), told, declared=said)
    if damaged:
        yield f"The animation is cut off or damaged after frame {len(times) - 2}; what comes before was analysed."
    meant = colour.of_picture(image, request.fd)
    image.close()
    image = anew()
    for number, index in enumerate(chosen):
        image.seek(index)
        pixels, unused_profile = colour.seen(image, meant)
        if unused_profile and not number:
            yield unused_profile
        yield Frame(index, times[index], pixels)


def _times(image: Image.Image, request: Request) -> tuple[list[float], bool]:
    """When each frame is shown and, last, when the last one goes, in seconds; and whether the rest is damaged."""
    times = [0.0]
    try:
        for index in range(MAX_FRAMES + 1):
            image.seek(index)
            check_size(*image.size, request.max_pixels)  # a GIF's may grow
            image.load()
            duration_s = image.info.get("duration", 0) / 1000
            times.append(times[-1] + (duration_s if duration_s >= 0.02 else SHORTEST_S))
    except EOFError:
        return _checked(times), False
    except tags.ODD:
        return _checked(times), True
    raise TooLargeError(f"The animation has more than {MAX_FRAMES:,} frames, which is the most.")


def _checked(times: list[float]) -> list[float]:
    if len(times) == 1:
        raise DamagedMediaError("The animation is damaged before its first frame.")
    return times
