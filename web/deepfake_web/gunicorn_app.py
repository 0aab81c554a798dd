"""The web application as a process of its own: gunicorn, one worker with threads, on a socket that is bound already."""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from deepfake_contract.errors import UnavailableError, UsageError

from deepfake_web.settings import WebSettings

START_DEADLINE_S = 60.0
MAX_CONNECTIONS = 512  # beside those that have a thread; well under the usual limit of 1,024 open files
GRACE_S = 5  # for answers under way when it is stopped


def bind(settings: WebSettings) -> socket.socket:
    """The bound socket, so that a taken port is known before anything is started; it does not listen yet."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Inherited by each connection: a client that falls silent, or stops to read its answer, frees its thread.
    patience = struct.pack("ll", int(settings.max_stall_s), int(settings.max_stall_s % 1 * 1e6))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, patience)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, patience)
    try:
        listener.bind((settings.host, settings.port))
    except (OSError, OverflowError) as cause:
        listener.close()
        raise UsageError(f"Can't listen on {settings.host}, port {settings.port}: {cause}. Choose another.") from cause
    return listener


def address_of(listener: socket.socket) -> str:
    """Where a browser on this machine finds it."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


@contextmanager
def running(
    listener: socket.socket, settings: WebSettings, application: str = "deepfake_web.wsgi:application()"
) -> Iterator[subprocess.Popen]:
    """Starts it, waits until it answers, and stops it at the end; takes the socket over."""
    program = [sys.executable, "-m", "deepfake_web.tied_gunicorn", str(os.getpid())]
    process = subprocess.Popen(
        [*program, application, *_options(listener, settings)],
        env={**os.environ, **_variables(settings)},
        pass_fds=[listener.fileno()],
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C reaches the launcher alone, which stops things in order
    )
    address = address_of(listener)
    listener.close()  # or connections would be accepted after its end
    try:
        _wait(process, address)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(GRACE_S + 5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def why_not_ready(address: str) -> str | None:
    """What its /health says is missing; None when analyses can be made."""
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=30):
            return None
    except urllib.error.HTTPError as answer:
        return json.load(answer)["why"]


def _options(listener: socket.socket, settings: WebSettings) -> list[str]:
    options = {
        "bind": f"fd://{listener.fileno()}",
        "worker-class": "deepfake_web.worker.Worker",
        "workers": 1,  # one bound on the work, one set of metrics
        "threads": settings.threads,
        "worker-connections": MAX_CONNECTIONS + settings.threads,
        "forwarded-allow-ips": "",  # nobody may set SCRIPT_NAME or the scheme by a header; nothing here needs them
        "graceful-timeout": GRACE_S,
        "log-level": "warning",
    }
    return [f"--{name}={value}" for name, value in options.items()] + ["--no-control-socket"]


def _variables(settings: WebSettings) -> dict[str, str]:
    """The settings as the worker reads them again."""
    return {f"DEEPFAKE_{name.upper()}": str(value) for name, value in vars(settings).items()}


def _wait(process: subprocess.Popen, address: str) -> None:
    deadline = time.monotonic() + START_DEADLINE_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}/health/live", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    if process.poll() is not None:
        raise UnavailableError("The web application did not start; its message stands above.")
    raise UnavailableError(f"The web application did not answer within {START_DEADLINE_S:g} s.")
