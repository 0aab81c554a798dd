"""Uploads and answers over real sockets, on the server that is deployed."""

import http.client
import json
import socket
import time

import pytest

HEAD = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
TAIL = b"\r\n--x--\r\n"
FORM = {"Content-Type": "multipart/form-data; boundary=x"}


def body(content: bytes) -> bytes:
    return HEAD + content + TAIL


def post(address, content, headers=None):
    """Sends all of the body before it reads: `content` bytes, or an iterable sent in chunks without a length."""
    connection = http.client.HTTPConnection(*address, timeout=30)
    connection.request("POST", "/predict", content, FORM | (headers or {}))
    return connection.getresponse()


def begin(address, content: bytes, length: int, accept="application/json") -> socket.socket:
    """A request of which only a part is sent."""
    connection = socket.create_connection(address, timeout=30)
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM['Content-Type']}\r\nAccept: {accept}\r\n"
    connection.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode() + content)
    return connection


def get(address, path):
    connection = http.client.HTTPConnection(*address, timeout=30)
    connection.request("GET", path)
    return connection.getresponse()


def metric(address, name: str) -> float:
    lines = get(address, "/metrics").read().decode().splitlines()
    return float(next(line for line in lines if line.startswith(f"{name} ")).split()[1])


@pytest.fixture
def is_idle(uploads):
    def check(address) -> bool:
        busy = metric(address, "deepfake_analyses_running") + metric(address, "deepfake_analyses_waiting")
        return busy == 0 and not uploads()

    return check


def test_a_chunked_upload_without_a_length_is_read_whole(serve):
    content = body(b"y" * 900_000)
    with serve() as address:
        answer = post(address, (content[at : at + 70_000] for at in range(0, len(content), 70_000)))
        assert answer.status == 200
        assert json.load(answer)["label"] == "FAKE"


@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_over_the_limit_is_refused_and_its_client_hears_so(serve, chunked, eventually, is_idle):
    content = body(b"y" * 30_000_000)
    with serve() as address:
        answer = post(
            address, (content[at : at + 70_000] for at in range(0, len(content), 70_000)) if chunked else content
        )
        assert answer.status == 413
        assert "limit" in json.load(answer)["detail"]
        eventually(lambda: is_idle(address))


def test_a_broken_chunk_is_a_bad_request(serve):
    with serve() as address:
        connection = socket.create_connection(address, timeout=30)
        head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM['Content-Type']}\r\n"
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\nnothex\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")


def test_an_upload_that_falls_silent_is_ended(serve, eventually, is_idle):
    with serve(max_stall_s=0.5) as address:
        connection = begin(address, HEAD + b"abc", 100_000)
        assert connection.recv(100).startswith(b"HTTP/1.1 408 ")
        eventually(lambda: is_idle(address))


def test_an_upload_that_drips_is_ended(serve, eventually, is_idle):
    with serve(max_stall_s=5.0, max_upload_s=1.0) as address:
        connection = begin(address, HEAD, 100_000)
        connection.settimeout(0.1)
        answer, deadline = b"", time.monotonic() + 20
        while not answer and time.monotonic() < deadline:
            try:
                connection.sendall(b"a")
                answer = connection.recv(100)
            except TimeoutError:
                continue
        assert answer.startswith(b"HTTP/1.1 408 ")
        eventually(lambda: is_idle(address))


def test_a_client_that_leaves_during_its_upload_leaves_nothing(serve, eventually, is_idle, uploads):
    with serve() as address:
        connection = begin(address, HEAD + b"y" * 200_000, 900_000)
        eventually(lambda: uploads())
        connection.close()
        eventually(lambda: is_idle(address))


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson"])
def test_a_client_that_leaves_ends_the_analysis(serve, accept, eventually, is_idle):
    with serve() as address:
        content = body(b"hold")
        connection = begin(address, content, len(content), accept)
        eventually(lambda: metric(address, "deepfake_analyses_running") == 1)
        connection.close()
        eventually(lambda: is_idle(address))


def test_a_client_that_stops_to_read_does_not_hold_its_place(serve, eventually, is_idle):
    with serve(max_stall_s=0.5) as address:
        content = body(b"flood")
        connection = begin(address, content, len(content), "application/x-ndjson")
        assert connection.recv(12) == b"HTTP/1.1 200"
        eventually(lambda: is_idle(address))


def test_a_stream_is_sent_while_the_work_goes_on(serve, tmp_path):
    with serve() as address:
        answer = post(address, body(b"hold"), {"Accept": "application/x-ndjson"})
        assert json.loads(answer.readline())["event"] == "accepted"
        assert json.loads(answer.readline())["event"] == "progress"
        (tmp_path / "release").touch()
        *_, last = answer.read().splitlines()
        assert json.loads(last)["event"] == "result"


def test_one_more_than_is_let_in_is_told_at_once_when_to_come_back(serve, tmp_path, eventually):
    with serve(max_analyses=1, max_waiting=1, max_wait_s=30.0) as address:
        held = body(b"hold")
        first = begin(address, held, len(held))
        eventually(lambda: metric(address, "deepfake_analyses_running") == 1)
        second = begin(address, held, len(held))
        eventually(lambda: metric(address, "deepfake_analyses_waiting") == 1)
        answer = post(address, body(b"y" * 900_000))
        assert answer.status == 429
        assert int(answer.headers["Retry-After"]) > 0
        assert get(address, "/health/live").status == 200
        (tmp_path / "release").touch()
        for connection in (first, second):
            assert connection.recv(12) == b"HTTP/1.1 200"
        assert post(address, body(b"y")).status == 200


def test_a_turn_that_does_not_come_is_429(serve, eventually):
    with serve(max_analyses=1, max_waiting=1, max_wait_s=0.2) as address:
        held = body(b"hold")
        first = begin(address, held, len(held))
        eventually(lambda: metric(address, "deepfake_analyses_running") == 1)
        assert post(address, body(b"y")).status == 429
        first.close()


def test_connections_that_never_finish_their_head_do_not_lock_others_out(serve, settings):
    with serve(max_stall_s=1.0) as address:
        silent = [socket.create_connection(address) for _ in range(settings.threads + 4)]
        for connection in silent:
            connection.sendall(b"GET /health/live HTTP/1.1\r\nHos")
        assert get(address, "/health/live").status == 200
