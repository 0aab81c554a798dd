"""Clips of every kind that phones, cameras and browsers write give the frames that they show."""

import os

import av
import numpy as np
import pytest

EVEN = [3, 11, 18, 26, 33, 41, 48, 56]  # the middles of eight equal parts of 60 frames
CLIPS = {  # name: codec, expected container, codec, and what to encode with
    "h264.mp4": ("libx264", "mp4", "h264", {}),
    "h264.mov": ("libx264", "mov", "h264", {}),
    "h264.mkv": ("libx264", "mkv", "h264", {}),
    "h264.ts": ("libx264", "ts", "h264", {}),
    "h264.avi": ("libx264", "avi", "h264", {}),
    "h264.flv": ("libx264", "flv", "h264", {}),
    "fragmented.mp4": ("libx264", "mp4", "h264", {"container_options": {"movflags": "frag_keyframe+empty_moov"}}),
    "h265.mp4": ("libx265", "mp4", "hevc", {"options": {"x265-params": "log-level=none"}}),
    "h265.mov": ("libx265", "mov", "hevc", {"options": {"x265-params": "log-level=none"}}),
    "h265-10bit.mkv": (
        "libx265",
        "mkv",
        "hevc",
        {"pix_fmt": "yuv420p10le", "options": {"x265-params": "log-level=none"}},
    ),
    "vp8.webm": ("libvpx", "webm", "vp8", {}),
    "vp9.webm": ("libvpx-vp9", "webm", "vp9", {}),
    "vp9.mp4": ("libvpx-vp9", "mp4", "vp9", {}),
    "av1.webm": ("libsvtav1", "webm", "av1", {"options": {"svtav1-params": "lp=1"}}),
    "av1.mp4": ("libsvtav1", "mp4", "av1", {"options": {"svtav1-params": "lp=1"}}),
    "mpeg4.avi": ("mpeg4", "avi", "mpeg4", {"options": {"bf": "2"}}),
    "mpeg4.mp4": ("mpeg4", "mp4", "mpeg4", {}),
    "mjpeg.avi": ("mjpeg", "avi", "mjpeg", {"pix_fmt": "yuvj420p"}),
    "mpeg2.ts": ("mpeg2video", "ts", "mpeg2video", {}),
}


@pytest.mark.parametrize("name", CLIPS)
def test_a_clip_gives_the_frames_that_lie_evenly_over_it(name, tmp_path, write_clip, load):
    encoder, container, codec, how = CLIPS[name]
    loaded = load(write_clip(tmp_path / name, encoder, **how))
    assert (loaded.kind, loaded.info.container, loaded.info.codec) == ("video", container, codec)
    assert loaded.numbers == loaded.indices == EVEN
    assert loaded.frames_expected == 8
    assert [frame.time_s for frame in loaded.frames] == pytest.approx([index / 30 for index in EVEN], abs=0.002)
    assert (loaded.info.width, loaded.info.height) == (160, 96)
    assert loaded.info.duration_s == pytest.approx(2.0, abs=0.05)
    assert loaded.info.frame_rate == pytest.approx(30, rel=0.02)
    assert loaded.warnings == []


@pytest.mark.parametrize("name", ["h264.mp4", "h265-10bit.mkv", "vp9.webm", "av1.mp4", "mpeg4.avi", "h264.ts"])
def test_every_fifth_frame_is_what_the_decoder_gives_counted(name, tmp_path, write_clip, load):
    encoder, _, _, how = CLIPS[name]
    path = write_clip(tmp_path / name, encoder, **how)
    with av.open(str(path)) as container:
        decoded = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    loaded = load(path, "every_nth:5", 10)
    assert loaded.indices == list(range(0, 50, 5))
    assert all(np.array_equal(frame.image, decoded[frame.index]) for frame in loaded.frames)


def test_even_frames_have_the_very_pixels_of_a_full_decoding(tmp_path, write_clip, load):
    path = write_clip(tmp_path / "clip.mp4", "libx264", options={"bf": "3", "b-pyramid": "normal"})
    with av.open(str(path)) as container:
        decoded = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    loaded = load(path, frames=20)
    assert len(loaded.frames) == 20
    assert all(np.array_equal(frame.image, decoded[frame.index]) for frame in loaded.frames)


def test_frames_before_an_open_keyframe_are_right(tmp_path, write_clip, load):
    options = {"x264-params": "open-gop=1:bframes=4:b-adapt=0:keyint=10:min-keyint=10:scenecut=0"}
    loaded = load(write_clip(tmp_path / "clip.mkv", "libx264", options=options), frames=60)
    assert loaded.numbers == list(range(60))


def test_width_that_is_no_multiple_of_anything_is_kept(tmp_path, write_clip, load):
    pictures = [np.full((90, 130, 3), 10 * each, np.uint8) for each in range(10)]
    loaded = load(write_clip(tmp_path / "clip.mp4", "libx264", count=10, pictures=pictures))
    assert {frame.image.shape for frame in loaded.frames} == {(90, 130, 3)}


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotated_phone_video_is_upright(degrees, tmp_path, write_clip, numbered, load):
    turned = [np.rot90(numbered(each), -degrees // 90) for each in range(30)]
    path = write_clip(
        tmp_path / "clip.mp4",
        "libx264",
        count=30,
        pictures=turned,
        prepare=lambda stream: stream.set_display_rotation(degrees),
    )
    loaded = load(path)
    assert loaded.numbers == loaded.indices
    assert (loaded.info.width, loaded.info.height) == (160, 96)


def test_mirrored_video_is_shown_as_players_show_it(tmp_path, write_clip, numbered, load):
    mirrored = [numbered(each)[:, ::-1] for each in range(30)]
    path = write_clip(
        tmp_path / "clip.mp4",
        "libx264",
        count=30,
        pictures=mirrored,
        prepare=lambda stream: stream.set_display_rotation(0, hflip=True),
    )
    loaded = load(path)
    assert loaded.numbers == loaded.indices


def test_variable_frame_rate_is_sampled_evenly_in_time(tmp_path, write_clip, load):
    # Fifty frames in the first second, then twenty in nine: most of the time is in the last twenty.
    times = [*range(0, 1000, 20), *range(1000, 10000, 450)]
    loaded = load(write_clip(tmp_path / "clip.mkv", "libx264", times=times), frames=10)
    assert loaded.numbers == loaded.indices
    shown = [times[index] / 1000 for index in loaded.indices]
    assert [frame.time_s for frame in loaded.frames] == pytest.approx(shown, abs=0.002)
    assert sum(index >= 50 for index in loaded.indices) == 9


def test_clip_of_variable_rate_still_gives_as_many_frames_as_asked_for(tmp_path, write_clip, load):
    times = [*range(0, 490, 10), 500, 10000]
    loaded = load(write_clip(tmp_path / "clip.mkv", "libx264", count=51, times=times), frames=16)
    assert len(set(loaded.numbers)) == 16


def test_clip_of_one_frame_gives_it(tmp_path, write_clip, load):
    loaded = load(write_clip(tmp_path / "clip.mp4", "libx264", count=1), frames=32)
    assert (loaded.kind, loaded.numbers, loaded.frames_expected) == ("video", [0], 1)


def test_clip_with_fewer_frames_than_asked_for_gives_all(tmp_path, write_clip, load):
    loaded = load(write_clip(tmp_path / "clip.webm", "libvpx-vp9", count=7), frames=32)
    assert loaded.numbers == list(range(7))


def test_sound_beside_the_picture_does_no_harm(tmp_path, write_clip, load):
    for name, encoder in (("clip.mp4", "libx264"), ("clip.webm", "libvpx-vp9")):
        loaded = load(write_clip(tmp_path / name, encoder, sound=True))
        assert loaded.numbers == EVEN


def test_frames_that_an_edit_list_cuts_away_are_not_counted(tmp_path, write_clip, load):
    # Copied from its tenth frame on: the frames since the keyframe stay in the file, and are not shown.
    source = write_clip(tmp_path / "source.mp4", "libx264", options={"bf": "0"})
    path = tmp_path / "cut.mp4"
    with av.open(str(source)) as old, av.open(str(path), "w", options={"avoid_negative_ts": "disabled"}) as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.dts is not None:
                shift = round(10 / 30 / packet.time_base)
                packet.pts -= shift
                packet.dts -= shift
                packet.stream = stream
                new.mux(packet)
    loaded = load(path, frames=10)
    assert loaded.numbers == [index + 10 for index in loaded.indices]
    assert loaded.indices[0] == 2
    assert loaded.frames[0].time_s == pytest.approx(2 / 30, abs=0.002)


def test_a_clip_made_here_leaves_this_process_its_priority(tmp_path, write_clip):
    encoder, _, _, how = CLIPS["av1.mp4"]
    write_clip(tmp_path / "clip.mp4", encoder, **how)
    assert os.sched_getscheduler(0) == os.SCHED_OTHER
