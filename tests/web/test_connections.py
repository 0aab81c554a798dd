"""Uploads and answers over real sockets, on the server that is deployed."""

import http.client
import json
import socket
import ssl
import threading
import time
from contextlib import contextmanager

import pytest
from deepfake_web import gunicorn_app
from deepfake_web.worker import MAX_HEADS

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


def test_a_chunked_upload_without_a_length_is_read_whole(answering):
    content = body(b"y" * 900_000)
    answer = post(answering, (content[at : at + 70_000] for at in range(0, len(content), 70_000)))
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


def test_a_broken_chunk_is_a_bad_request(answering):
    connection = socket.create_connection(answering, timeout=30)
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


def drip(connections, may_end):
    """Sends a header line on each, again and again, until `may_end`; those that were closed are left out."""
    alive = list(connections)
    while alive and not may_end.wait(0.1):
        for connection in list(alive):
            try:
                connection.sendall(b"X-More: 1\r\n")
            except OSError:
                alive.remove(connection)


@pytest.fixture
def dripping(settings):
    """Many more connections than there are threads, each with an unfinished head that goes on and on."""
    may_end = threading.Event()

    @contextmanager
    def begin(address, count=settings.threads + 40):
        connections = [socket.create_connection(address, timeout=30) for _ in range(count)]
        for connection in connections:
            connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n")
        thread = threading.Thread(target=drip, args=(connections, may_end))
        thread.start()
        try:
            yield connections
        finally:
            may_end.set()
            thread.join()
            for connection in connections:
                connection.close()

    return begin


def test_connections_that_drip_their_head_hold_nobody_up(serve, dripping):
    with serve(max_stall_s=30.0) as address, dripping(address):
        for _ in range(3):
            begun = time.monotonic()
            assert get(address, "/health/live").status == 200
            assert post(address, body(b"y" * 100_000)).status == 200
            assert time.monotonic() - begun < 5


def test_a_head_that_drips_is_ended_and_told_so(serve, dripping):
    with serve(max_stall_s=1.0) as address, dripping(address, count=3) as connections:
        for connection in connections:
            head, _, problem = connection.makefile("rb").read().partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 408 ") and b"application/problem+json" in head
            assert "took too long" in json.loads(problem)["detail"]


def test_more_unfinished_heads_than_are_kept_do_not_lock_others_out(serve, dripping):
    with serve(max_stall_s=30.0) as address, dripping(address, count=MAX_HEADS + 20):
        assert get(address, "/health/live").status == 200


def test_a_head_in_pieces_is_read_whole(answering):
    connection = socket.create_connection(answering, timeout=30)
    for piece in (b"\r\nPOST /pre", b"dict HTTP/1.1\r\nHost: x\r\nContent-Type: ", FORM["Content-Type"].encode()):
        connection.sendall(piece)
        time.sleep(0.05)  # or the kernel makes one piece of them
    content = body(b"y" * 100)
    connection.sendall(f"\r\nContent-Length: {len(content)}\r\n\r".encode())
    time.sleep(0.05)
    connection.sendall(b"\n" + content)
    assert connection.recv(100).startswith(b"HTTP/1.1 200 ")


def test_requests_that_are_sent_ahead_are_answered_in_turn(answering):
    connection = socket.create_connection(answering, timeout=30)
    request = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
    connection.sendall((request + b"\r\n") * 3 + request + b"Connection: close\r\n\r\n")
    assert connection.makefile("rb").read().count(b"HTTP/1.1 200 ") == 4


def test_an_endless_head_is_refused(answering):
    connection = socket.create_connection(answering, timeout=30)
    connection.sendall(b"GET / HTTP/1.1\r\n" + b"X-More: 1\r\n" * 10_000)
    answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400 ") and b"larger than 64 KiB" in answer


def test_a_tls_hello_is_told_that_http_is_spoken(serve, capfd):
    hello, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        ssl.create_default_context().wrap_bio(hello, outgoing, server_hostname="localhost").do_handshake()
    with serve() as address:
        connection = socket.create_connection(address, timeout=5)
        connection.sendall(outgoing.read())
        answer = connection.makefile("rb").read()  # to its end: the connection is closed
        assert answer.startswith(b"HTTP/1.1 400 ") and b"without TLS" in answer
        assert get(address, "/health/live").status == 200
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    "headers",
    [
        {"SCRIPT_NAME": "/x"},
        {"Script-Name": "/x"},
        {"PATH_INFO": "/x"},
        {"X-Forwarded-Proto": "https", "X-Forwarded-SSL": "off"},
    ],
    ids=str,
)
def test_what_only_a_trusted_proxy_may_say_is_as_if_it_were_not_there(answering, headers):
    connection = http.client.HTTPConnection(*answering, timeout=30)
    connection.request("GET", "/health/live", headers=headers)
    assert connection.getresponse().status == 200


def test_unfinished_heads_do_not_hold_up_the_end(serve, dripping):
    with serve(max_stall_s=30.0) as address, dripping(address):
        begun = time.monotonic()
    # What it was given for answers under way is not used up.
    assert time.monotonic() - begun < gunicorn_app.GRACE_S


def test_a_file_whose_name_is_not_utf_8_is_analysed(answering):
    assert post(answering, body(b"y" * 100).replace(b'"a"', b'"M\xfcller.jpg"')).status == 200


def test_too_many_fields_are_told_as_that(answering):
    part = b'--x\r\nContent-Disposition: form-data; name="a%d"\r\n\r\n1\r\n'
    answer = post(answering, b"".join(part % number for number in range(17)) + body(b"y" * 900_000))
    assert answer.status == 400
    assert "too many fields" in json.load(answer)["detail"]
