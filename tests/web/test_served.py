"""The real thing: `deepfake serve` with its Triton, real files over real connections."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image

RESTART_S = 20.0  # longest until a request succeeds after Triton was killed
CLIENTS = 64
OVERLOAD_S = 6.0


def post(served, file: Path | bytes, path="/predict", accept="application/json", **fields: str):
    """Status, headers and body of the answer."""
    answer = ask(served, file, path, accept, **fields)
    return answer.status, answer.headers, answer.read()


def ask(served, file: Path | bytes, path: str, accept: str, **fields: str) -> http.client.HTTPResponse:
    boundary = uuid.uuid4().hex
    head = f"--{boundary}\r\nContent-Disposition: form-data; name="
    parts = [f'{head}"{name}"\r\n\r\n{text}\r\n' for name, text in fields.items()]
    parts.append(f'{head}"file"; filename="x"\r\n\r\n')
    content = file if isinstance(file, bytes) else file.read_bytes()
    body = "".join(parts).encode() + content + f"\r\n--{boundary}--\r\n".encode()
    connection = http.client.HTTPConnection(urlsplit(served.address).netloc, timeout=120)
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Accept": accept}
    connection.request("POST", path, body, headers)
    return connection.getresponse()


def health(served) -> dict:
    try:
        with urllib.request.urlopen(f"{served.address}/health", timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as answer:
        return json.load(answer)


def test_a_picture_is_answered_with_its_face(served, picture):
    status, _, body = post(served, picture, "/predict/image")
    assert status == 200
    result = json.loads(body)
    assert (result["file_type"], result["frames_processed"]) == ("image", 1)
    assert result["label"] in ("REAL", "FAKE") and 0 <= result["confidence"] <= 1
    (face,) = result["frames"][0]["faces"]
    x, y, width, height = face["box"]
    assert x < 222 < x + width and y < 115 < y + height  # her nose
    assert abs(sum(result["contributions"].values())) < 100
    assert "heatmap" not in face


def test_a_clip_is_answered_frame_by_frame_as_a_stream(served, clip):
    status, headers, body = post(served, clip, "/predict/video", "application/x-ndjson", frames="6", heatmaps="true")
    assert (status, headers.get_content_type()) == (200, "application/x-ndjson")
    events = [json.loads(line) for line in body.splitlines()]
    names = Counter(event["event"] for event in events)
    assert names.pop("progress") > 6
    assert names == {"accepted": 1, "frame": 6, "result": 1}
    assert events[0]["event"] == "accepted" and events[-1]["event"] == "result"
    progress = [event for event in events if event["event"] == "progress"]
    assert {event["searched"] for event in progress if not event["done"]} >= {1, 2, 3, 4, 5}, "faces are told as found"
    assert progress[-1] == {"event": "progress", "done": 6, "total": 6, "decoded": 6, "searched": 6}
    frames = [event for event in events if event.pop("event") == "frame"]
    seen = [frame | {"faces": [face.copy() for face in frame["faces"]]} for frame in frames]
    for frame in seen:
        del frame["thumbnail"]
        for face in frame["faces"]:
            del face["heatmap"]
    assert seen == events[-1]["frames"], "the result repeats the frames without their pictures"
    assert len(events[-1]["tracks"]) == 1
    assert len(frames[0]["faces"][0]["heatmap"]) == 7
    assert frames[0]["thumbnail"].startswith("data:image/jpeg;base64,")


def test_a_picture_without_a_face_is_said_to_be_one(served, temple, tmp_path):
    Image.fromarray(temple).save(tmp_path / "temple.jpg")
    status, _, body = post(served, tmp_path / "temple.jpg")
    result = json.loads(body)
    assert status == 200
    assert (result["label"], result["confidence"], result["certainty"]) == ("NO FACE", None, None)


@pytest.mark.parametrize(
    ("content", "path", "status"),
    [
        (b"only words, and not a picture", "/predict", 415),
        (b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n", "/predict/video", 415),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "/predict/video", 415),
        (b"", "/predict", 422),
    ],
)
def test_what_cannot_be_analysed_is_refused_without_a_word_on_our_files(served, content, path, status):
    answer, headers, body = post(served, content, path)
    problem = json.loads(body)
    assert (answer, headers.get_content_type()) == (status, "application/problem+json")
    assert str(served.temporary) not in body.decode() and "/proc" not in body.decode()
    assert problem["detail"] and "Traceback" not in body.decode()


def test_a_picture_posted_as_a_video_is_refused(served, picture):
    status, _, body = post(served, picture, "/predict/video")
    assert status == 415 and "/predict/image" in json.loads(body)["detail"]


def test_health_names_every_model_and_the_device(served):
    state = health(served)
    assert (state["status"], state["why"], state["device"]) == ("ok", None, "cpu")
    networks = state["model"]["titles"]
    wanted = {"deepfake_ensemble", "face_detector", "fft_branch", "meta_model", *networks}
    assert networks and networks.keys() == state["model"]["architectures"].keys()
    assert state["models"] == dict.fromkeys(wanted, True)
    assert state["model"]["digest"].startswith("sha256:")
    assert state["versions"]["triton"]


def test_an_overload_is_answered_with_200_and_429_only(served, picture):
    statuses: Counter = Counter()
    end = time.monotonic() + OVERLOAD_S

    def ask() -> None:
        while time.monotonic() < end:
            try:
                statuses[post(served, picture)[0]] += 1
            except OSError as error:
                statuses[type(error).__name__] += 1

    threads = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.keys() == {200, 429}
    started = time.monotonic()
    assert post(served, picture)[0] == 200
    assert time.monotonic() - started < 5


def test_a_killed_launcher_takes_everything_along(served_alone, picture, eventually):
    post(served_alone, picture)
    programs = served_alone.processes("")
    served_alone.process.kill()
    eventually(lambda: not any(_runs(pid) for pid in programs), 20)
    eventually(lambda: list(served_alone.temporary.iterdir()) == [], 20)
    assert not list(Path("/dev/shm").glob(f"*deepfake_{served_alone.process.pid}_*"))


@pytest.mark.parametrize("program", ["tritonserver", "triton_python_b"])  # the kernel keeps 15 letters
def test_a_killed_triton_is_back_within_seconds(served_alone, picture, program, eventually):
    assert post(served_alone, picture)[0] == 200
    victim = served_alone.processes(program)[0]
    statuses = []

    def answers() -> bool:
        statuses.append(post(served_alone, picture)[0])
        return statuses[-1] == 200 and health(served_alone)["status"] == "ok"

    os.kill(victim, signal.SIGKILL)
    eventually(answers, RESTART_S, 0.5)
    assert set(statuses) <= {200, 503}


@pytest.mark.parametrize("program", ["tritonserver", "triton_python_b"])
def test_a_stream_whose_triton_is_killed_ends_with_the_error(served_alone, clip, program):
    answer = ask(served_alone, clip, "/predict", "application/x-ndjson", frames="200")
    assert answer.status == 200
    while json.loads(answer.readline())["event"] != "frame":
        pass
    for victim in served_alone.processes(program):
        os.kill(victim, signal.SIGKILL)
    *_, last = answer.read().splitlines()
    assert (json.loads(last)["event"], json.loads(last)["status"]) == ("error", 503)


def test_term_stops_everything_and_leaves_nothing(served_alone, picture, eventually):
    post(served_alone, picture)
    programs = served_alone.processes("")
    assert len(programs) > 4
    served_alone.process.terminate()
    assert served_alone.process.wait(30) == 0
    eventually(lambda: not any(_runs(pid) for pid in programs))
    assert list(served_alone.temporary.iterdir()) == []
    assert not list(Path("/dev/shm").glob(f"*deepfake_{served_alone.process.pid}_*"))
    with pytest.raises(ConnectionRefusedError):
        post(served_alone, picture)


def test_a_taken_port_is_said_before_anything_is_started(repository):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "deepfake_client.cli.dispatch", "serve", "--port", port]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert port in ended.stderr and "Starting Triton" not in ended.stderr and "Traceback" not in ended.stderr


def _runs(pid: int) -> bool:
    """Whether it is there, and no zombie that waits for whoever reaps orphans here."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
