"""What a file says of how it came about without a signature: anybody can have written it."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from deepfake_client.media import generators, xmp
from deepfake_client.media.facts import Said
from deepfake_client.media.provenance import bounded, moment, name
from deepfake_client.media.source_types import meaning
from deepfake_client.media.tags import texts_of_picture

if TYPE_CHECKING:
    from av.container import InputContainer
    from PIL import Image


def of_picture(image: "Image.Image", tags: Mapping[str, str]) -> list[Said]:
    """From a picture's XMP, texts and EXIF; `tags` are its tags under plain names."""
    return bounded(_said(xmp.values(image.info.get("xmp")), texts_of_picture(image), tags))


def of_video(container: "InputContainer", descriptor: int, form: str, tags: Mapping[str, str]) -> list[Said]:
    """The same of a clip; `form` is FFmpeg's name of its container."""
    packet = xmp.of_mp4(descriptor) if form == "mov" else b""
    return bounded(_said(xmp.values(packet), dict(container.metadata), tags))


def _said(values: Mapping[str, str], texts: Mapping[str, str], tags: Mapping[str, str]) -> Iterator[Said]:
    if says := meaning(values.get(xmp.SOURCE_TYPE)):
        yield Said(says, "iptc")
    if generator := generators.of_texts(texts):
        yield Said("generated", "generator", generator)
    for each in (values.get(xmp.AIGC), texts.get("AIGC")):
        if (producer := generators.label(each)) is not None:
            yield Said("generated", "generator", name(producer))
    tool, software, camera = values.get(xmp.TOOL), tags.get("software"), tags.get("camera")
    if generators.named(tool):
        yield Said("generated", "xmp", name(tool))
    if generators.named(software):
        yield Said("generated", "tags", name(software))
    if generator or generators.named(tool) or generators.named(software):
        return  # they write into a camera's place, too
    if origin := name(camera, software):
        yield Said("origin", "tags", origin, moment(tags.get("taken_at")))
    elif origin := name(tool):
        yield Said("origin", "xmp", origin, moment(values.get(xmp.CREATED)))
