"""A picture's colours are those that its profile or its numbers mean, as a standard display shows them."""

import io
import os
import struct
from fractions import Fraction

import av
import numpy as np
import pillow_heif
import pytest
from deepfake_client.detector import Detector
from deepfake_client.media import coded_colour
from PIL import Image, ImageCms, PngImagePlugin

PQ, HLG = 16, 18
# Red, green and blue in XYZ as published profiles have them (white D50), and the exponent of their curve; 0: sRGB's.
SRGB = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)), 0
PROFILES = {
    "Display P3": (((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841)), 2.19921875),
    "Adobe RGB": (((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)), 2.19921875),
    "ProPhoto": (((0.7977, 0.2880, 0.0), (0.1352, 0.7119, 0.0), (0.0313, 0.0001, 0.8249)), 1.80078125),
}
WHITE = (0.9642, 1.0, 0.8249)


def twin(picture: np.ndarray, name: str) -> np.ndarray:
    """The same colours in the numbers of another profile; what lies outside of it is cut off."""
    values = picture / 255
    light = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    matrix, gamma = PROFILES[name]
    other = light @ np.array(SRGB[0]) @ np.linalg.inv(np.array(matrix))
    return (255 * np.clip(other, 0, 1) ** (1 / gamma)).round().astype(np.uint8)


def profile(space: bytes, tags: dict[bytes, bytes], pcs: bytes = b"XYZ ") -> bytes:
    """An ICC profile, version 2.4, of these tags."""
    table, data = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += name + struct.pack(">II", 132 + 12 * len(tags) + len(data), len(content))
        data += content.ljust(-len(content) % 4 + len(content), b"\0")
    kind = b"prtr" if space == b"CMYK" else b"mntr"
    head = struct.pack(">I4xI4s4s4s12x4s", 132 + len(table) - 4 + len(data), 0x02400000, kind, space, pcs, b"acsp")
    return (
        head.ljust(68, b"\0") + struct.pack(">3i", *(round(65536 * each) for each in WHITE)) + bytes(48) + table + data
    )


def xyz(values) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(65536 * each) for each in values))


def curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(256 * gamma))


def rgb_profile(name: str) -> bytes:
    (red, green, blue), gamma = PROFILES[name]
    colours = {b"rXYZ": xyz(red), b"gXYZ": xyz(green), b"bXYZ": xyz(blue)}
    return profile(
        b"RGB ", {**colours, b"wtpt": xyz(WHITE), **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve(gamma))}
    )


def ink_profile(inks: list[tuple[float, float, float]]) -> bytes:
    """A CMYK profile that shows each of the 16 full mixtures of inks, C slowest, as a colour in CIE Lab."""
    identity = bytes(range(256))
    grid = bytes(round(each) for light, a, b in inks for each in (light * 2.55, a + 128, b + 128))
    head = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + struct.pack(">9i", *(65536 * (at % 4 == 0) for at in range(9)))
    return profile(b"CMYK", {b"A2B0": head + identity * 4 + grid + identity * 3, b"wtpt": xyz(WHITE)}, pcs=b"Lab ")


@pytest.fixture
def portrait(astronaut) -> np.ndarray:
    """A picture of colours that every profile here has, a little weaker than they were."""
    grey = astronaut.mean(axis=2, keepdims=True)
    return (grey + 0.8 * (astronaut - grey)).round().astype(np.uint8)


def shown(loaded) -> np.ndarray:
    assert loaded.warnings == []
    return loaded.frames[0].image


def off(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("form", ["png", "jpg", "webp", "avif", "heic"])
def test_a_profile_is_applied(name, form, tmp_path, portrait, load):
    pillow_heif.register_heif_opener()
    stored, path = twin(portrait, name), tmp_path / f"picture.{form}"
    assert off(stored, portrait) > 3.5
    how = {"lossless": True} if form == "webp" else {"quality": 95, "subsampling": "4:4:4"} if form != "png" else {}
    Image.fromarray(stored).save(path, icc_profile=rgb_profile(name), **how)
    assert off(shown(load(path)), portrait) < (1 if form in ("png", "webp") else 2.5)


def test_a_profile_of_srgb_moves_no_pixel(tmp_path, astronaut, load):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(astronaut).save(tmp_path / "picture.png", icc_profile=srgb)
    assert np.array_equal(shown(load(tmp_path / "picture.png")), astronaut)


def test_a_large_picture_is_converted_to_its_last_row(tmp_path, portrait, load):
    tall = np.concatenate([portrait] * 3)[:1301]
    Image.fromarray(twin(tall, "Adobe RGB")).save(tmp_path / "tall.png", icc_profile=rgb_profile("Adobe RGB"))
    image = shown(load(tmp_path / "tall.png"))
    assert max(off(image[at], tall[at]) for at in (0, 511, 512, 1023, 1024, 1300)) < 1.5


def test_transparency_is_kept_beside_a_profile(tmp_path, portrait, load):
    alpha = np.full((512, 512), 255, np.uint8)
    alpha[:, 300:] = 0
    stored = np.dstack([twin(portrait, "Display P3"), alpha])
    Image.fromarray(stored).save(tmp_path / "picture.png", icc_profile=rgb_profile("Display P3"))
    image = shown(load(tmp_path / "picture.png"))
    assert off(image[:, :300], portrait[:, :300]) < 1
    assert np.all(image[:, 300:] == 255)


def test_a_palette_has_the_colours_of_its_profile(tmp_path, portrait, load):
    palette = Image.fromarray(portrait).quantize(64)
    wanted = np.asarray(palette.convert("RGB"))
    stored = palette.copy()
    stored.putpalette(twin(np.array(palette.getpalette(), np.uint8).reshape(-1, 3), "ProPhoto").tobytes())
    stored.save(tmp_path / "picture.png", icc_profile=rgb_profile("ProPhoto"))
    assert off(shown(load(tmp_path / "picture.png")), wanted) < 1


@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
def test_a_grey_profile_is_applied(mode, tmp_path, load):
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None], 8, axis=0)
    wide = ramp.astype(np.uint16) * 257
    picture = Image.fromarray(wide) if mode == "I;16" else Image.fromarray(ramp).convert(mode)
    linear = profile(b"GRAY", {b"kTRC": curve(1.0), b"wtpt": xyz(WHITE)})
    picture.save(tmp_path / "grey.png", icc_profile=linear)
    light = ramp / 255
    wanted = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    image = shown(load(tmp_path / "grey.png"))
    assert np.abs(image - wanted[..., None]).max() < 2


def test_a_grey_picture_may_have_a_profile_for_colours(tmp_path, portrait, load):
    grey = Image.fromarray(twin(np.repeat(portrait[..., :1], 3, axis=2), "ProPhoto")[..., 0])
    grey.save(tmp_path / "grey.jpg", icc_profile=rgb_profile("ProPhoto"), quality=95)
    assert off(shown(load(tmp_path / "grey.jpg"))[..., 0], portrait[..., 0]) < 2


def test_inks_are_shown_as_their_profile_says(tmp_path, load):
    inks = [(100 - 6 * at, (at * 5) % 40 - 20, (at * 11) % 40 - 20) for at in range(15)] + [(0, 0, 0)]
    inks[0] = (100, 0, 0)
    mixtures = [tuple(255 * (at >> bit & 1) for bit in (3, 2, 1, 0)) for at in range(16)]
    picture = Image.new("CMYK", (16 * 16, 16))
    for at, mixture in enumerate(mixtures):
        picture.paste(mixture, (16 * at, 0, 16 * at + 16, 16))
    picture.save(tmp_path / "print.jpg", icc_profile=ink_profile(inks), quality=100, subsampling="4:4:4")
    image = shown(load(tmp_path / "print.jpg"))
    seen = np.stack([image[8, 16 * at + 8] for at in range(16)]).astype(float)
    assert np.abs(seen - [lab_as_srgb(*ink) for ink in inks]).max() < 6


def lab_as_srgb(light: float, a: float, b: float) -> np.ndarray:
    """CIE Lab (D50) as sRGB, 0 to 255."""
    middle = (light + 16) / 116
    ratios = np.array([middle + a / 500, middle, middle - b / 200])
    values = np.where(ratios > 6 / 29, ratios**3, 3 * (6 / 29) ** 2 * (ratios - 4 / 29)) * WHITE
    linear = np.clip(values @ np.linalg.inv(np.array(SRGB[0])), 0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize(
    "broken", [b"no profile at all", rgb_profile("Adobe RGB")[:200], ink_profile([(50, 0, 0)] * 16)]
)
def test_a_profile_of_no_use_is_ignored_with_a_warning(broken, tmp_path, astronaut, load):
    Image.fromarray(astronaut).save(tmp_path / "picture.png", icc_profile=broken)
    loaded = load(tmp_path / "picture.png")
    assert np.array_equal(loaded.frames[0].image, astronaut)
    assert len(loaded.warnings) == 1 and "colour profile" in loaded.warnings[0]


def test_an_animation_has_the_colours_of_its_profile(tmp_path, portrait, load):
    frames = [Image.fromarray(twin(each, "Adobe RGB")) for each in (portrait, portrait[::-1].copy())]
    frames[0].save(
        tmp_path / "two.webp",
        save_all=True,
        append_images=frames[1:],
        lossless=True,
        icc_profile=rgb_profile("Adobe RGB"),
    )
    first, second = (frame.image for frame in load(tmp_path / "two.webp").frames)
    assert off(first, portrait) < 1.5 and off(second, portrait[::-1]) < 1.5


def png(path, picture: np.ndarray, **chunks: bytes) -> None:
    info = PngImagePlugin.PngInfo()
    for name, content in chunks.items():
        info.add(name.encode(), content)
    Image.fromarray(picture).save(path, pnginfo=info)


def chromaticities(*values: float) -> bytes:
    return struct.pack(">8I", *(round(100000 * each) for each in values))


P3_PRIMARIES = chromaticities(0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)


def test_gama_and_chrm_of_a_png_are_applied(tmp_path, portrait, load):
    png(tmp_path / "picture.png", twin(portrait, "Display P3"), gAMA=struct.pack(">I", 45455), cHRM=P3_PRIMARIES)
    assert off(shown(load(tmp_path / "picture.png")), portrait) < 2.5
    linear = (255 * (portrait / 255.0) ** 2.2).round().astype(np.uint8)
    png(tmp_path / "linear.png", linear, gAMA=struct.pack(">I", 100000))
    assert off(shown(load(tmp_path / "linear.png")), portrait) < 4


@pytest.mark.parametrize(
    "chunks",
    [
        {"gAMA": struct.pack(">I", 45455)},
        {"cHRM": P3_PRIMARIES},
        {"gAMA": struct.pack(">I", 1), "cHRM": P3_PRIMARIES},
        {"gAMA": struct.pack(">I", 45455), "cHRM": chromaticities(*[0.0] * 8)},
        {"gAMA": struct.pack(">I", 45455), "cHRM": chromaticities(*[4000.0, 1e-5] * 4)},
        {"sRGB": b"\0", "gAMA": struct.pack(">I", 100000)},
        {"cICP": bytes([1, 13, 0, 1])},
    ],
)
def test_numbers_that_say_srgb_or_nothing_move_no_pixel(chunks, tmp_path, astronaut, load):
    png(tmp_path / "picture.png", astronaut, **chunks)
    assert np.array_equal(shown(load(tmp_path / "picture.png")), astronaut)


def test_cicp_of_a_png_counts_more_than_its_profile(tmp_path, portrait, load):
    info = PngImagePlugin.PngInfo()
    info.add(b"cICP", bytes([12, 13, 0, 1]))
    stored = Image.fromarray(twin(portrait, "Display P3"))
    stored.save(tmp_path / "picture.png", pnginfo=info, icc_profile=rgb_profile("ProPhoto"))
    assert off(shown(load(tmp_path / "picture.png")), portrait) < 2.5


@pytest.fixture(params=[PQ, HLG], ids=["PQ", "HLG"])
def transfer(request) -> int:
    return request.param


def test_hdr_png_is_shown_as_its_sdr_twin(transfer, tmp_path, portrait, load, hdr_twin):
    stored = (hdr_twin(portrait, transfer) // 257).astype(np.uint8)
    png(tmp_path / "hdr.png", stored, cICP=bytes([9, transfer, 0, 1]))
    assert off(shown(load(tmp_path / "hdr.png")), portrait) <= 3


def test_hdr_heic_is_shown_as_its_sdr_twin(transfer, tmp_path, portrait, load, hdr_twin):
    path = tmp_path / "hdr.heic"
    picture = pillow_heif.from_bytes("RGB;16", (512, 512), hdr_twin(portrait, transfer).tobytes())
    picture.save(
        path, quality=90, color_primaries=9, transfer_characteristics=transfer, matrix_coefficients=9, full_range_flag=0
    )
    assert off(shown(load(path)), portrait) <= 3


def avif(path, picture: np.ndarray, transfer: int, primaries: int) -> None:
    """One AV1 picture of 10 bits, from 16 bits a channel."""
    height, width, _ = picture.shape
    with av.open(str(path), "w", format="avif") as container:
        stream = container.add_stream("libsvtav1", rate=1, options={"crf": "8", "preset": "8"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p10le"
        context, matrix = stream.codec_context, "BT2020" if primaries == 9 else "ITU709"
        context.color_trc, context.color_primaries, context.color_range = transfer, primaries, 1
        context.colorspace = 9 if primaries == 9 else 1
        frame = av.VideoFrame.from_ndarray(picture, "rgb48le")
        frame = frame.reformat(format=stream.pix_fmt, dst_colorspace=matrix, dst_color_range="MPEG")
        frame.pts, frame.time_base = 0, Fraction(1)
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))  # which the encoder changes for root, see write_clip


def test_hdr_avif_is_shown_as_its_sdr_twin(transfer, tmp_path, portrait, load, hdr_twin):
    # Smooth: what half the resolution for colour takes away is the file's loss, not the reader's.
    smooth = np.asarray(Image.fromarray(portrait).resize((64, 64)).resize((512, 512), Image.Resampling.BICUBIC))
    avif(tmp_path / "hdr.avif", hdr_twin(smooth, transfer), transfer, 9)
    assert off(shown(load(tmp_path / "hdr.avif")), smooth) <= 3


def test_avif_that_says_p3_in_numbers_is_shown_so(tmp_path, portrait, load):
    avif(tmp_path / "p3.avif", twin(portrait, "Display P3").astype(np.uint16) * 257, 13, 12)
    assert off(shown(load(tmp_path / "p3.avif")), portrait) < 3


def test_a_profile_that_names_an_hdr_curve_is_shown_so(transfer, tmp_path, portrait, load, hdr_twin):
    (red, green, blue), gamma = PROFILES["Display P3"]
    tags = {b"rXYZ": xyz(red), b"gXYZ": xyz(green), b"bXYZ": xyz(blue), b"wtpt": xyz(WHITE)}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve(gamma)) | {
        b"cicp": b"cicp" + bytes([0] * 4 + [9, transfer, 0, 1])
    }
    stored = (hdr_twin(portrait, transfer) // 257).astype(np.uint8)
    Image.fromarray(stored).save(tmp_path / "hdr.png", icc_profile=profile(b"RGB ", tags))
    assert off(shown(load(tmp_path / "hdr.png")), portrait) <= 3


def test_boxes_and_chunks_that_are_cut_or_damaged_say_nothing(tmp_path, portrait):
    avif(tmp_path / "whole.avif", np.zeros((64, 64, 3), np.uint16), PQ, 9)
    buffer = io.BytesIO()
    Image.fromarray(portrait[:8, :8]).save(buffer, "PNG", icc_profile=rgb_profile("Display P3"))
    rng = np.random.default_rng(0)
    for whole, read in (
        ((tmp_path / "whole.avif").read_bytes(), coded_colour.of_heif),
        (buffer.getvalue(), coded_colour.of_png),
    ):
        for at in range(0, min(len(whole), 400)):
            damaged = bytearray(whole)
            damaged[at : at + 4] = rng.bytes(4)
            for data in (whole[:at], bytes(damaged)):
                (tmp_path / "part").write_bytes(data)
                descriptor = os.open(tmp_path / "part", os.O_RDONLY)
                read(descriptor)
                os.close(descriptor)


def test_one_picture_has_one_answer_in_p3_and_in_srgb(triton, tmp_path, admiral):
    """Without its profile the second one's answer is 0.17 off."""
    Image.fromarray(admiral).save(tmp_path / "srgb.png")
    Image.fromarray(twin(admiral, "Display P3")).save(tmp_path / "p3.png", icc_profile=rgb_profile("Display P3"))
    with Detector(triton) as detector:
        srgb, p3 = (detector.analyze(tmp_path / f"{name}.png").confidence for name in ("srgb", "p3"))
    assert p3 == pytest.approx(srgb, abs=0.02)
