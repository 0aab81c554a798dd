"""Runs one tritonserver for a launcher, and leaves nothing of it behind when either is gone.

A process of its own, in its own session: Ctrl-C reaches the launcher only, and a launcher that is killed is
noticed here. Run as `python keeper.py SPECIFICATION` (JSON: command, parent, folder, prefix); it prints the
server's process id and closes its output when the server ends. It stays until the launcher ends it (SIGTERM) or
dies, then kills the server with its model processes and removes their folder and shared memory.
"""

import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
START_WINDOW_S = 10.0  # within it the server makes its scratch folder, whose place and name nobody can choose


def main(specification: dict) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    prctl(PR_SET_CHILD_SUBREAPER, 1)  # so that model processes can be waited for here when the server is gone
    started = time.time()
    server = None
    try:
        parent = os.pidfd_open(specification["parent"])
        if os.getppid() != specification["parent"]:
            return
        server = subprocess.Popen(
            specification["command"],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            stderr=sys.stderr,
            process_group=0,
            preexec_fn=lambda: prctl(PR_SET_PDEATHSIG, signal.SIGKILL),  # noqa: PLW1509 (no threads here)
        )
        os.write(1, f"{server.pid}\n".encode())
        select.select([parent, os.pidfd_open(server.pid)], [], [])
        os.close(1)
        select.select([parent], [], [])
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if server is not None:
            end(server.pid)
        sweep(Path(specification["folder"]), specification["prefix"], started)


def prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def end(group: int) -> None:
    """Kills a process group, and returns when all its processes are gone."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    with suppress(ChildProcessError):
        while True:
            os.wait()


def sweep(folder: Path, prefix: str, started: float) -> None:
    """Removes what a killed server leaves: its folder, its shared memory, its scratch folder (empty, never used)."""
    shutil.rmtree(folder, ignore_errors=True)
    for segment in SHARED_MEMORY.glob(f"{prefix}*"):
        segment.unlink(missing_ok=True)
    for scratch in Path("/tmp").glob("python_env_??????"):
        with suppress(OSError):
            if started <= scratch.stat().st_ctime <= started + START_WINDOW_S:
                scratch.rmdir()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
