"""What is not a picture or video, or too large, or holds nothing, is refused in words that help."""

import os
import socket
import struct
import threading
import zlib

import av
import numpy as np
import pillow_heif
import pytest
from deepfake_client.media.timeline import CUT_OFF
from deepfake_contract.errors import DamagedMediaError, TooLargeError, UnsupportedMediaError
from PIL import Image


@pytest.fixture
def listener():
    """An address that counts who connects to it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        visits = []
        server.settimeout(0.05)
        done = threading.Event()

        def serve():
            while not done.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                visits.append(connection)
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}", visits
        done.set()
        thread.join()


# What is not read here


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"Dear friends,\r\nhere is no picture.\r\n", "text"),
        ("Für Sie ein Text ".encode() * 400, "text"),
        (b"<html><body>not found</body></html>", "text"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "text"),
        (b"#EXTM3U\nhttp://192.0.2.1/clip.ts\n", "playlist"),
        (b"ffconcat version 1.0\nfile other.mp4\n", "concat script"),
        (b"%PDF-1.7\n", "PDF"),
        (b"PK\x03\x04\x14\x00", "ZIP"),
        (b"II*\x00\x08\x00\x00\x00", "TIFF"),
        (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "JPEG XL"),
        (bytes(range(256)) * 20, "not known"),
        (b"\x00" * 5000, "not known"),
        (b"BM but not a bitmap", "text"),
    ],
)
def test_what_is_not_read_here_is_named(content, what, tmp_path, load):
    (tmp_path / "clip.mp4").write_bytes(content)
    with pytest.raises(UnsupportedMediaError, match=what):
        load(tmp_path / "clip.mp4")


@pytest.mark.parametrize(
    "script",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://{address}/secret.ts\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXTINF:10,\n{other}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{other}'\nfile http://{address}/x.mp4\n",
        "file '{other}'\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
        '<?xml version="1.0"?><MPD><BaseURL>http://{address}/</BaseURL></MPD>',
    ],
    ids=["playlist of addresses", "playlist of files", "concat script", "bare concat script", "SDP", "DASH"],
)
def test_script_that_names_others_is_refused_and_nobody_is_asked(script, tmp_path, write_clip, load, listener):
    address, visits = listener
    other = write_clip(tmp_path / "other.mp4", "libx264")
    (tmp_path / "clip.mp4").write_text(script.format(address=address, other=other))
    with pytest.raises(UnsupportedMediaError):
        load(tmp_path / "clip.mp4")
    assert visits == []


def test_codec_that_is_not_read_here_is_named(tmp_path, write_clip, load):
    path = write_clip(tmp_path / "clip.avi", "huffyuv", pix_fmt="yuv422p", count=5)
    with pytest.raises(UnsupportedMediaError, match="huffyuv"):
        load(path)


def test_folder_and_named_pipe_are_refused_without_waiting(tmp_path, load):
    os.mkfifo(tmp_path / "pipe.mp4")
    for path in (tmp_path, tmp_path / "pipe.mp4"):
        with pytest.raises(UnsupportedMediaError, match="not a file"):
            load(path)


# Too large


def png_header(width: int, height: int) -> bytes:
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    header = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + header + struct.pack(">I", 100) + b"IDAT"


def test_picture_bomb_is_refused(tmp_path, load):
    Image.new("1", (16384, 16384)).save(tmp_path / "bomb.png")
    assert (tmp_path / "bomb.png").stat().st_size < 100_000
    with pytest.raises(TooLargeError, match="16384 × 16384"):
        load(tmp_path / "bomb.png")


def test_picture_of_impossible_size_is_refused_by_its_header(tmp_path, load):
    (tmp_path / "huge.png").write_bytes(png_header(2_000_000_000, 2_000_000_000))
    with pytest.raises(TooLargeError, match="DEEPFAKE_MAX_PIXELS"):
        load(tmp_path / "huge.png")


@pytest.mark.parametrize("name", ["bomb.heic", "bomb.avif"])
def test_phone_picture_that_claims_16k_is_refused(name, tmp_path, numbered, load):
    pillow_heif.register_heif_opener()
    Image.fromarray(numbered(1)).save(tmp_path / name)
    data = bytearray((tmp_path / name).read_bytes())
    at = data.index(b"ispe") + 8
    data[at : at + 8] = struct.pack(">II", 16384, 16384)
    (tmp_path / name).write_bytes(data)
    with pytest.raises(TooLargeError, match="16384 × 16384"):
        load(tmp_path / name)


@pytest.mark.parametrize(("name", "codec"), [("bomb.mp4", "libx264"), ("bomb.ts", "libx264"), ("bomb.mkv", "libx264")])
def test_video_of_16k_in_a_tiny_file_is_refused(name, codec, tmp_path, load):
    with av.open(str(tmp_path / name), "w") as container:
        stream = container.add_stream(codec, rate=30, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 16384, 4096, "yuv420p"
        frame = av.VideoFrame(16384, 4096, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.pts = 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert (tmp_path / name).stat().st_size < 500_000
    with pytest.raises(TooLargeError, match="16384 × 4096"):
        load(tmp_path / name)


def test_video_whose_header_hides_its_size_is_not_decoded(tmp_path, write_clip, load):
    # The container says 64 × 64, the stream inside is larger than is allowed.
    path = write_clip(tmp_path / "clip.webm", "libvpx-vp9", pictures=[np.zeros((512, 512, 3), np.uint8)] * 3, count=3)
    data = path.read_bytes()
    for element in (b"\xb0\x82", b"\xba\x82"):  # PixelWidth, PixelHeight, two bytes each
        assert data.count(element + struct.pack(">H", 512)) == 1
        data = data.replace(element + struct.pack(">H", 512), element + struct.pack(">H", 64))
    path.write_bytes(data)
    assert len(load(path).frames) == 3
    with pytest.raises((TooLargeError, DamagedMediaError)):
        load(path, max_pixels=200_000)


def test_file_over_the_limit_of_bytes_is_refused(tmp_path, load):
    (tmp_path / "clip.mp4").write_bytes(bytes(2000))
    with pytest.raises(TooLargeError, match=r"2,000 bytes.*DEEPFAKE_MAX_BYTES"):
        load(tmp_path / "clip.mp4", max_bytes=1999)


def test_clip_longer_than_allowed_is_refused(tmp_path, write_clip, load):
    path = write_clip(tmp_path / "clip.mp4", "libx264")
    with pytest.raises(TooLargeError, match="DEEPFAKE_MAX_DURATION_S"):
        load(path, max_duration_s=1.5)
    assert load(path, max_duration_s=2.1).frames


def test_animation_of_very_many_frames_is_refused(tmp_path, repeated_gif, load):
    (tmp_path / "many.gif").write_bytes(repeated_gif(20_001, 1))
    with pytest.raises(TooLargeError, match="20,000 frames"):
        load(tmp_path / "many.gif", decoder_cpu_s=100)


def test_decoding_that_takes_too_long_is_stopped(tmp_path, repeated_gif, load):
    (tmp_path / "slow.gif").write_bytes(repeated_gif(3_000, 1000))
    with pytest.raises(TooLargeError, match="DEEPFAKE_DECODER_CPU_S"):
        load(tmp_path / "slow.gif", decoder_cpu_s=1)


def test_decoding_that_takes_too_much_memory_is_stopped(tmp_path, load):
    Image.new("RGB", (7000, 7000)).save(tmp_path / "large.png")
    with pytest.raises(TooLargeError, match="DEEPFAKE_DECODER_MEMORY_BYTES"):
        load(tmp_path / "large.png", decoder_memory_bytes=400 << 20)
    assert load(tmp_path / "large.png").info.width == 7000


# Nothing to analyse


def test_empty_file_is_told(tmp_path, load):
    (tmp_path / "clip.mp4").write_bytes(b"")
    with pytest.raises(DamagedMediaError, match="empty"):
        load(tmp_path / "clip.mp4")


def test_file_that_is_not_there_is_told(tmp_path, load):
    for path in (tmp_path / "absent.mp4", f"{tmp_path}/a\0b.mp4"):
        with pytest.raises(DamagedMediaError, match="can't be opened"):
            load(path)


@pytest.mark.parametrize("name", ["sound.mp4", "sound.mkv", "sound.ogg", "sound.wav", "sound.mp3", "sound.flac"])
def test_file_of_sound_only_is_told(name, tmp_path, load, write_silence):
    encoders = {"ogg": "libopus", "wav": "pcm_s16le", "mp3": "libmp3lame", "flac": "flac"}
    with av.open(str(tmp_path / name), "w") as container:
        stream = container.add_stream(encoders.get(name.split(".")[1], "aac"), rate=48000)
        write_silence(container, stream, 1)
    with pytest.raises(DamagedMediaError, match="only sound"):
        load(tmp_path / name)


def test_sound_with_a_cover_picture_is_sound(tmp_path, load, write_silence, numbered):
    path = tmp_path / "song.m4a"
    with av.open(str(path), "w", format="mp4") as container:
        speaker = container.add_stream("aac", rate=48000)
        cover = container.add_stream("mjpeg", rate=1)
        cover.height, cover.width, cover.pix_fmt = 96, 160, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        container.mux(cover.encode(av.VideoFrame.from_ndarray(numbered(1), "rgb24").reformat(format="yuvj420p")))
        container.mux(cover.encode())
        write_silence(container, speaker, 1)
    with pytest.raises(DamagedMediaError, match="only sound"):
        load(path)


def test_container_without_frames_is_told(tmp_path, load):
    path = tmp_path / "none.mp4"
    with av.open(str(path), "w", options={"movflags": "empty_moov"}) as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        container.start_encoding()
    with pytest.raises(DamagedMediaError):
        load(path)


def test_encrypted_clip_is_told(tmp_path, write_clip, load):
    key = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": "00" * 16, "encryption_kid": "11" * 16}
    path = write_clip(tmp_path / "clip.mp4", "libx264", container_options=key)
    with pytest.raises(DamagedMediaError, match="is encrypted"):
        load(path)


@pytest.mark.parametrize("name", ["clip.mp4", "pieces.mp4", "clip.mkv", "clip.webm", "clip.avi", "clip.ts"])
def test_clip_that_is_cut_off_shows_what_it_has_and_warns(name, tmp_path, write_clip, load):
    encoder = {"clip.webm": "libvpx-vp9", "clip.avi": "mpeg4"}.get(name, "libx264")
    layout = {"clip.mp4": "faststart", "pieces.mp4": "frag_keyframe+empty_moov"}.get(name)
    whole = write_clip(tmp_path / name, encoder, container_options={"movflags": layout} if layout else {})
    data = whole.read_bytes()
    whole.write_bytes(data[: len(data) * 7 // 10 | 1])
    loaded = load(whole)
    assert len(loaded.frames) == 8
    assert loaded.numbers[:-1] == loaded.indices[:-1]  # the last may be the one that was cut
    assert any("cut off" in warning for warning in loaded.warnings)


@pytest.mark.parametrize("name", ["clip.mp4", "photo.jpg", "photo.png", "photo.heic", "photo.avif", "photo.webp"])
def test_file_cut_off_before_anything_can_be_seen_is_told(name, tmp_path, write_clip, astronaut, load):
    pillow_heif.register_heif_opener()
    if name == "clip.mp4":
        write_clip(tmp_path / name, "libx264")
    else:
        Image.fromarray(astronaut).save(tmp_path / name)
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[:600])
    with pytest.raises(DamagedMediaError):
        load(tmp_path / name)


@pytest.mark.parametrize("layout", ["", "faststart"])
def test_a_file_that_is_cut_inside_its_index_is_told_to_be_cut_off(layout, tmp_path, write_clip, load):
    options = {"movflags": layout} if layout else {}
    data = write_clip(tmp_path / "clip.mp4", "libx264", container_options=options).read_bytes()
    start = data.index(b"moov") - 4
    size = int.from_bytes(data[start : start + 4], "big")
    for part in range(9):
        (tmp_path / "clip.mp4").write_bytes(data[: start + 12 + size * part // 10])
        with pytest.raises(DamagedMediaError, match=r"cut off.*[Ss]end it again"):
            load(tmp_path / "clip.mp4")


def test_a_file_that_is_cut_in_the_index_of_its_sound_shows_its_frames_and_warns(tmp_path, write_clip, load):
    data = write_clip(tmp_path / "clip.mp4", "libx264", sound=True).read_bytes()
    (tmp_path / "clip.mp4").write_bytes(data[: data.rindex(b"udta")])
    loaded = load(tmp_path / "clip.mp4")
    assert loaded.numbers == loaded.indices == [3, 11, 18, 26, 33, 41, 48, 56]
    assert loaded.warnings == [CUT_OFF]


@pytest.mark.parametrize("size", [300, 500])
@pytest.mark.parametrize(
    ("name", "encoder"), [("clip.mkv", "libx264"), ("clip.webm", "libvpx-vp9"), ("clip.avi", "mpeg4")]
)
def test_a_file_that_is_cut_in_what_describes_it_is_told_to_be_cut_off(name, encoder, size, tmp_path, write_clip, load):
    data = write_clip(tmp_path / name, encoder).read_bytes()
    (tmp_path / name).write_bytes(data[:size])
    with pytest.raises(DamagedMediaError, match=r"cut off.*[Ss]end it again"):
        load(tmp_path / name)


def test_damaged_clip_never_ends_in_anything_but_frames_or_an_error_for_people(tmp_path, write_clip, load):
    random = np.random.default_rng(6)
    for name, encoder in (("clip.mp4", "libx264"), ("clip.webm", "libvpx-vp9"), ("clip.avi", "mpeg4")):
        data = np.frombuffer(write_clip(tmp_path / name, encoder).read_bytes(), np.uint8)
        for attempt in range(4):
            broken = data.copy()
            at = random.integers(16, len(data), 60 * (attempt + 1))
            broken[at] = random.integers(0, 256, len(at))
            (tmp_path / f"broken-{name}").write_bytes(broken.tobytes())
            try:
                load(tmp_path / f"broken-{name}")
            except (DamagedMediaError, TooLargeError, UnsupportedMediaError) as error:
                assert str(error).endswith(".")
                assert str(tmp_path) not in str(error)
