"""Clips that break a rule players do not insist on give the frames that players show, at the times they show them."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from deepfake_client.media.timeline import CUT_OFF, NO_TIMES
from deepfake_client.media.visible import shows

EVEN = [3, 11, 18, 26, 33, 41, 48, 56]  # the middles of eight equal parts of 60 frames


def without(box: bytes, path: Path) -> Path:
    """The MP4 with its boxes of this kind renamed to one that holds nothing."""
    data = path.read_bytes()
    assert box in data
    path.write_bytes(data.replace(box, b"free"))
    return path


def keyframes(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    return [number for number, packet in enumerate(packets) if packet.is_keyframe]


def times(loaded) -> list[float]:
    return [frame.time_s for frame in loaded.frames]


# Where decoding can begin


def renewed_part_by_part(path: Path, write_clip, numbered) -> Path:
    """H.264 whose pictures are whole again only some frames after what the container calls a keyframe."""
    options = {"x264-params": "intra-refresh=1:keyint=20:bframes=2"}
    return write_clip(path, "libx264", count=120, options=options)


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts"])
def test_clip_that_is_renewed_part_by_part_gives_every_frame(name, tmp_path, write_clip, numbered, load):
    path = renewed_part_by_part(tmp_path / name, write_clip, numbered)
    assert len(keyframes(path)) > 3
    with av.open(str(path)) as container:
        decoded = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    loaded = load(path, frames=12)
    assert loaded.numbers == loaded.indices == pytest.approx([5 + 10 * part for part in range(12)], abs=1)
    assert all(np.array_equal(frame.image, decoded[frame.index]) for frame in loaded.frames)
    assert loaded.warnings == []


@pytest.mark.parametrize(
    ("name", "encoder", "how"),
    [
        ("clip.mov", "libx265", {"options": {"x265-params": "log-level=none"}}),
        ("clip.mp4", "mpeg4", {}),
    ],
)
def test_clip_that_marks_every_frame_as_a_keyframe_gives_its_frames(name, encoder, how, tmp_path, write_clip, load):
    path = without(b"stss", write_clip(tmp_path / name, encoder, **how))
    assert len(keyframes(path)) == 60
    loaded = load(path)
    assert loaded.numbers == loaded.indices == EVEN
    assert loaded.warnings == []


def test_a_damaged_frame_is_not_looked_for_from_the_start(tmp_path, write_clip, load):
    # The last frame's packet is spoilt; its run began with a keyframe, so beginning earlier would not help.
    path = write_clip(tmp_path / "clip.mkv", "libx264", options={"bf": "0"})
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        *_, last = (packet for packet in container.demux(video=0) if packet.size)
        at, size = data.rindex(bytes(last)), last.size
    data[at + 4 : at + size] = bytes(size - 4)
    path.write_bytes(data)
    loaded = load(path, frames=60)
    assert loaded.numbers == list(range(59))
    assert loaded.warnings == ["1 of 60 frames could not be decoded and were left out."]


# Packets that show no frame


def with_hidden_frames(path: Path, hidden: set[int], write_clip, numbered) -> Path:
    """120 frames of VP8, those of `hidden` sent twice, the first time not to be shown: as an encoder's alternative
    references are (RFC 6386, 9.1)."""
    sent = [number for number in range(120) for _ in range(2 if number in hidden else 1)]

    def one_keyframe(stream: av.VideoStream) -> None:
        stream.gop_size = 200

    encoded = write_clip(
        path.with_name("encoded.webm"),
        "libvpx",
        count=len(sent),
        pictures=map(numbered, sent),
        prepare=one_keyframe,
    )
    with av.open(str(encoded)) as old, av.open(str(path), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for at, packet in enumerate(packet for packet in old.demux(video=0) if packet.size):
            data = bytearray(packet)
            if at + 1 < len(sent) and sent[at] == sent[at + 1]:
                assert not packet.is_keyframe
                data[0] &= ~0x10
            packet = av.Packet(bytes(data))
            packet.is_keyframe = data[0] & 1 == 0
            packet.stream, packet.time_base = stream, Fraction(1, 30)
            packet.pts = packet.dts = sent[at]
            new.mux(packet)
    return path


def test_frames_that_are_never_shown_shift_no_times(tmp_path, write_clip, numbered, load):
    path = with_hidden_frames(tmp_path / "clip.webm", {1, 15, 31, 62, 63, 91, 117}, write_clip, numbered)
    with av.open(str(path)) as container:
        assert sum(packet.size > 0 for packet in container.demux(video=0)) == 127
    loaded = load(path, frames=40)
    assert loaded.numbers == loaded.indices == list(range(1, 120, 3))
    assert [frame.time_s for frame in loaded.frames] == pytest.approx(
        [index / 30 for index in loaded.indices], abs=0.002
    )
    assert loaded.info.duration_s == pytest.approx(4.0, abs=0.05)
    assert loaded.warnings == []
    counted = load(path, "every_nth:40", 3)
    assert counted.numbers == [0, 40, 80]
    assert times(counted) == pytest.approx([0, 40 / 30, 80 / 30], abs=0.002)


@pytest.mark.parametrize(
    ("codec", "data", "shown"),
    [
        ("vp8", b"\x10\x00", True),
        ("vp8", b"\x01\x00", False),
        ("vp9", b"\x82\x00", True),  # a keyframe
        ("vp9", b"\x84\x00", False),  # between keyframes, not shown
        ("vp9", b"\x86\x00", True),
        ("vp9", b"\x88\x00", True),  # shows an earlier one
        ("vp9", b"\x84\x00\xc9", True),  # several in one packet
        ("vp9", b"\xb2\x00", False),  # profile 3
        ("vp9", b"\xb1\x00", True),
        ("h264", b"\x00\x00", True),
    ],
)
def test_whether_a_packet_shows_a_frame_is_in_its_first_bits(codec, data, shown):
    assert shows(codec, av.Packet(data)) is shown


# Times that tell nothing


def at_one_time(path: Path) -> Path:
    """The MP4 with every frame lasting no time at all."""
    data = bytearray(path.read_bytes())
    table = data.index(b"stts")
    for entry in range(int.from_bytes(data[table + 8 : table + 12], "big")):
        data[table + 16 + 8 * entry : table + 20 + 8 * entry] = bytes(4)
    path.write_bytes(data)
    return path


def clusters_from_zero(path: Path, parts: int) -> Path:
    """The Matroska file with its clusters' times beginning again, so many times; with 0 all are the same."""
    data = bytearray(path.read_bytes())
    at = [index for index in range(len(data)) if data[index : index + 4] == b"\x1f\x43\xb6\x75"]
    first = 0
    for number, cluster in enumerate(at):
        field = data.index(b"\xe7", cluster + 4, cluster + 24)
        length = data[field + 1] & 0x7F
        value = slice(field + 2, field + 2 + length)
        time = int.from_bytes(data[value], "big")
        if parts and number % (len(at) // parts) == 0:
            first = time
        data[value] = (time - first).to_bytes(length, "big")
    path.write_bytes(data)
    return path


def evenly_over_120(loaded):
    assert loaded.numbers == loaded.indices == [7 + 15 * part for part in range(8)]
    assert [frame.time_s for frame in loaded.frames] == pytest.approx(
        [index / 30 for index in loaded.indices], abs=0.05
    )
    assert loaded.info.duration_s == pytest.approx(4.0, abs=0.05)
    assert loaded.info.frame_rate == pytest.approx(30, rel=0.02)
    assert loaded.warnings == [NO_TIMES]


def test_clip_whose_times_are_all_the_same_is_seen_whole(tmp_path, write_clip, load):
    evenly_over_120(load(at_one_time(write_clip(tmp_path / "clip.mp4", "libx264", count=120, options={"bf": "0"}))))


@pytest.mark.parametrize(("name", "encoder"), [("clip.webm", "libvpx"), ("clip.mkv", "libx264")])
def test_clip_whose_times_begin_again_is_seen_whole(name, encoder, tmp_path, write_clip, load):
    how = {"container_options": {"cluster_time_limit": "1000"}}
    evenly_over_120(load(clusters_from_zero(write_clip(tmp_path / name, encoder, count=120, **how), parts=2)))


def test_recordings_one_after_the_other_are_seen_whole(tmp_path, write_clip, numbered, load):
    parts = [
        write_clip(tmp_path / f"{first}.ts", "libx264", pictures=map(numbered, range(first, first + 60))).read_bytes()
        for first in (0, 60)
    ]
    (tmp_path / "clip.ts").write_bytes(b"".join(parts))
    evenly_over_120(load(tmp_path / "clip.ts"))


# Transport streams that are picked up anywhere


@pytest.mark.parametrize("packet", [188, 192])
@pytest.mark.parametrize("missing", [1, 77, 187])
def test_stream_that_does_not_begin_with_a_packet_is_read(packet, missing, tmp_path, write_clip, load):
    options = {"container_options": {"mpegts_m2ts_mode": "1"}} if packet == 192 else {}
    data = write_clip(tmp_path / "whole.ts", "libx264", **options).read_bytes()
    assert len(data) % packet == 0
    (tmp_path / "clip.ts").write_bytes(data[packet - missing : packet] + data)
    loaded = load(tmp_path / "clip.ts")
    assert (loaded.info.container, loaded.numbers, loaded.warnings) == ("ts", EVEN, [])
    (tmp_path / "clip.ts").write_bytes(data[packet - missing : packet] + data[:-100])
    assert load(tmp_path / "clip.ts").warnings == [CUT_OFF]


def test_stream_that_begins_between_keyframes_is_told_and_sampled_from_the_first_one(tmp_path, write_clip, load):
    data = write_clip(tmp_path / "whole.ts", "libx264", options={"bf": "0"}).read_bytes()
    with av.open(str(tmp_path / "whole.ts")) as container:
        fifth = [packet for packet in container.demux(video=0) if packet.size][5]
    (tmp_path / "clip.ts").write_bytes(data[fifth.pos - 50 :])
    loaded = load(tmp_path / "clip.ts", frames=6)
    first_shown = 12 - 5
    assert loaded.numbers == [index + 12 for index in loaded.indices] == pytest.approx([16, 24, 32, 40, 48, 56], abs=1)
    assert times(loaded) == pytest.approx([(index + first_shown) / 30 for index in loaded.indices], abs=0.002)
    assert loaded.warnings == ["The clip begins in the middle of a recording: its first 0.2 seconds can't be decoded."]
    assert load(tmp_path / "clip.ts", "every_nth:10", 3).numbers == [12, 22, 32]
