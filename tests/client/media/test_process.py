"""The decoding process ends with its work, whatever happens, and leaves nothing."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from deepfake_client.media import open_media
from deepfake_client.settings import ClientSettings
from deepfake_contract.errors import DamagedMediaError, DeadlineError, DeepfakeError

DEADLINE_S = 20
WORKING_BYTES = 100 << 20  # more than the interpreter and the decoder's own frames take
PEAK_BYTES = 200 << 20  # with what waits to be read


def until(condition: Callable[[], bool]) -> None:
    """Waits for a condition; fails after the deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def memory_peak_bytes(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def test_frames_come_in_order_while_memory_stays_bounded(running):
    assert [frame.index for frame in running.frames] == list(range(1, 220))
    assert memory_peak_bytes(running.process) < PEAK_BYTES


def test_decoding_goes_ahead_of_the_reader_and_then_waits(running):
    until(lambda: memory_peak_bytes(running.process) > WORKING_BYTES)
    until(lambda: is_idle(running.process))
    assert memory_peak_bytes(running.process) < PEAK_BYTES
    assert next(running.frames).index == 1


def is_idle(process: int) -> bool:
    """It used no processor time for a while."""
    before = processor_time(process)
    time.sleep(0.2)
    return processor_time(process) == before


def processor_time(process: int) -> int:
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def test_nothing_is_left_after_a_clip_was_read(long_clip, children):
    before, descriptors = children(), open_descriptors()
    with open_media(long_clip, "even", 4, ClientSettings()) as media:
        assert len(list(media)) == 4
    assert children() == before
    assert open_descriptors() == descriptors


def test_nothing_is_left_after_a_clip_was_abandoned(long_clip, children):
    before, descriptors = children(), open_descriptors()
    with pytest.raises(KeyboardInterrupt), open_media(long_clip, "even", 1000, ClientSettings()) as media:
        for _ in media:
            raise KeyboardInterrupt
    assert children() == before
    assert open_descriptors() == descriptors


def test_nothing_is_left_after_a_refusal(tmp_path, long_clip, children):
    before, descriptors = children(), open_descriptors()
    (tmp_path / "cut.mp4").write_bytes(long_clip.read_bytes()[:3000])
    (tmp_path / "text.mp4").write_text("text")
    for name in ("cut.mp4", "text.mp4"):
        with pytest.raises(DeepfakeError), open_media(tmp_path / name, "even", 4, ClientSettings()):
            pass
    assert children() == before
    assert open_descriptors() == descriptors


def test_no_file_is_written_anywhere_temporary(long_clip, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with open_media(long_clip, "even", 4, ClientSettings()) as media:
        assert len(list(media)) == 4
        assert list(tmp_path.iterdir()) == []


READER = """
import sys, time
from deepfake_client.media import open_media
from deepfake_client.settings import ClientSettings
with open_media(sys.argv[1], "even", 1000, ClientSettings()) as media:
    for frame in media:
        print(frame.index, flush=True)
        if frame.index == 2 and sys.argv[2] == "waits":
            time.sleep(1000)
"""


@pytest.mark.parametrize("what", ["waits", "reads"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_the_decoder_ends_with_the_process_that_started_it(how, what, long_clip, children):
    command = [sys.executable, "-c", READER, str(long_clip), what]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as reader:
        assert reader.stdout is not None
        for _ in range(3):
            assert reader.stdout.readline()
        (child,) = children(reader.pid)
        reader.send_signal(how)
        reader.communicate(timeout=DEADLINE_S)
    assert reader.returncode != 0
    until(lambda: not alive(child))


def test_a_decoder_that_has_nothing_to_say_ends_with_its_starter_too(tmp_path, repeated_gif, children):
    # All frames must be drawn before the first word: half a minute's work.
    (tmp_path / "slow.gif").write_bytes(repeated_gif(10_000, 1500))
    with subprocess.Popen([sys.executable, "-c", READER, str(tmp_path / "slow.gif"), "reads"]) as reader:
        until(lambda: len(children(reader.pid)) == 1)
        (child,) = children(reader.pid)
        until(lambda: processor_time(child) > 100)  # hundredths of a second: it is at work
        reader.kill()
    killed = time.monotonic()
    until(lambda: not alive(child))
    assert time.monotonic() - killed < 3


def test_a_decoder_that_was_stopped_ends_with_its_starter_too(long_clip, children):
    with subprocess.Popen([sys.executable, "-c", READER, str(long_clip), "waits"], stdout=subprocess.PIPE) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline()
        (child,) = children(reader.pid)
        os.kill(child, signal.SIGSTOP)
        reader.kill()
    until(lambda: not alive(child))


def test_the_decoder_outlives_the_thread_that_opened_the_file(long_clip):
    indices, opened = [], []
    context = open_media(long_clip, "even", 1000, ClientSettings())
    thread = threading.Thread(target=lambda: opened.append(context.__enter__()))
    thread.start()
    thread.join()
    try:
        indices.extend(frame.index for frame in opened[0])
    finally:
        context.__exit__(None, None, None)
    assert indices == list(range(220))


def test_a_decoder_that_crashes_is_told_as_a_damaged_file(running):
    os.kill(running.process, signal.SIGSEGV)
    with pytest.raises(DamagedMediaError, match="SIGSEGV"):
        list(running.frames)


def test_a_decoder_that_falls_silent_is_given_up(long_clip, children):
    before = children()
    started = time.monotonic()
    with open_media(long_clip, "even", 1000, ClientSettings(analysis_deadline_s=1)) as media:
        (child,) = children() - before
        os.kill(child, signal.SIGSTOP)
        with pytest.raises(DeadlineError):
            list(media)
    assert time.monotonic() - started < DEADLINE_S
    assert not alive(child)


def test_a_module_in_the_working_folder_is_not_taken_for_ours(long_clip, tmp_path, monkeypatch):
    (tmp_path / "av.py").write_text("raise SystemExit(9)")
    (tmp_path / "json.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    with open_media(long_clip, "even", 1, ClientSettings()) as media:
        assert len(list(media)) == 1


def test_unknown_sampling_is_an_error_before_anything_is_started(long_clip):
    for sampling in ("odd", "every_nth:0", "every_nth:x", "every_nth"):
        with pytest.raises(ValueError, match="sampling must be"), open_media(long_clip, sampling, 4, ClientSettings()):
            pass
