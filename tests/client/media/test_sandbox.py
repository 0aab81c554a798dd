"""The decoding process may do nothing but decode."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ATTEMPTS = """
import ctypes, json, os, socket, subprocess, sys, threading
from deepfake_client.media import sandbox

port, victim = int(sys.argv[1]), sys.argv[2]
opened_before = socket.socket()
libc = ctypes.CDLL(None, use_errno=True)

def io_uring():
    if libc.syscall(425, 8, ctypes.create_string_buffer(120)) < 0:
        raise OSError(ctypes.get_errno(), "io_uring_setup")

attempts = {
    "a new socket": lambda: socket.socket(),
    "a pair of sockets": lambda: socket.socketpair(),
    "to connect a socket that it had": lambda: opened_before.connect(("127.0.0.1", port)),
    "to read a file": lambda: open(victim),
    "to read its own memory map": lambda: open("/proc/self/maps"),
    "to write a file": lambda: open(victim + ".new", "w"),
    "to remove a file": lambda: os.unlink(victim),
    "to rename a file": lambda: os.rename(victim, victim + ".old"),
    "to make a folder": lambda: os.mkdir(victim + ".folder"),
    "a file in memory": lambda: os.memfd_create("x"),
    "another process": lambda: os.fork() or os._exit(0),
    "another program": lambda: os.execv("/bin/true", ["true"]),
    "a signal to its parent": lambda: os.kill(os.getppid(), 0),
    "more memory": lambda: __import__("resource").setrlimit(__import__("resource").RLIMIT_CORE, (0, 0)),
    "an io_uring": io_uring,
}

def outcomes():
    result = {}
    for name, attempt in attempts.items():
        try:
            attempt()
            result[name] = "done"
        except OSError as error:
            result[name] = error.errno
        except ValueError as error:  # what the resource module makes of a refusal
            result[name] = 13
    return result

there, may_go = {}, threading.Event()
thread = threading.Thread(target=lambda: may_go.wait() and there.update(outcomes()))
thread.start()  # before: the filter must reach it too
if sys.argv[3] == "confined":
    sandbox.lock_down()
here = outcomes()
may_go.set()
thread.join()
print(json.dumps([here, there]))
"""
HARMLESS = [
    "a new socket",
    "a pair of sockets",
    "to connect a socket that it had",
    "to read a file",
    "a file in memory",
]


@pytest.fixture
def attempt(tmp_path):
    def attempt(how: str) -> list[dict[str, int | str]]:
        victim = tmp_path / "victim"
        victim.write_text("still here")
        script = ATTEMPTS
        if how == "free":  # only what does no harm: the rest would work
            script = script.replace("def outcomes", f"attempts = {{k: attempts[k] for k in {HARMLESS}}}\ndef outcomes")
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = str(server.getsockname()[1])
            command = [sys.executable, "-c", script, port, str(victim), how]
            result = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=60)
        assert victim.read_text() == "still here"
        assert list(tmp_path.iterdir()) == [victim]
        return json.loads(result.stdout)

    return attempt


def test_confined_process_can_reach_no_network_file_or_process(attempt):
    for outcomes in attempt("confined"):
        assert set(outcomes.values()) == {13}, outcomes


def test_the_same_attempts_work_where_nothing_is_confined(attempt):
    here, _ = attempt("free")
    assert set(here.values()) == {"done"}, here


def test_the_decoder_is_confined_while_it_decodes(running, long_clip):
    process = Path(f"/proc/{running.process}")
    status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines())
    limits = (process / "limits").read_text()
    assert (status["Seccomp"].strip(), status["NoNewPrivs"].strip()) == ("2", "1")
    assert limit(limits, "Max address space") == str(1500 << 20)
    assert limit(limits, "Max cpu time") == "77"
    assert limit(limits, "Max file size") == "0"
    assert limit(limits, "Max core file size") == "0"
    assert b"HOME=" not in (process / "environ").read_bytes()
    held = {str(each.readlink()).split(":")[0] for each in (process / "fd").iterdir()}
    assert held == {"pipe", "/dev/null", str(long_clip)}


def limit(limits: str, name: str) -> str:
    return next(line for line in limits.splitlines() if line.startswith(name)).removeprefix(name).split()[0]
