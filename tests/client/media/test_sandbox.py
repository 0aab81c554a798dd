"""The decoding process may do nothing but decode."""

import errno
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from deepfake_client.media import sandbox
from deepfake_client.media.syscalls import FIRST_NEW, allowed, conditional
from inside import customize, reader
from PIL import Image

HEADERS = {"x86_64": "/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "aarch64": "/usr/include/asm-generic/unistd.h"}
NOBODY = 65534
SETUP = """
import ctypes, resource, socket, subprocess, sys, threading, time
from deepfake_client.media import sandbox

port, victim = {port}, {victim!r}
opened_before = socket.socket()
libc = ctypes.CDLL(None, use_errno=True)
buffer = ctypes.create_string_buffer(128)

def call(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), str(number))

name = victim.encode()
attempts = {{
    "a new socket": lambda: socket.socket(),
    "a pair of sockets": lambda: socket.socketpair(),
    "to connect a socket that it had": lambda: opened_before.connect(("127.0.0.1", port)),
    "to read a file": lambda: open(victim),
    "to read its own memory map": lambda: open("/proc/self/maps"),
    "to list a folder": lambda: os.listdir("/"),
    "to write a file": lambda: open(victim + ".new", "w"),
    "to remove a file": lambda: os.unlink(victim),
    "to rename a file": lambda: os.rename(victim, victim + ".old"),
    "to make a folder": lambda: os.mkdir(victim + ".folder"),
    "to change a file's times": lambda: call(132, name, None),
    "to change a file's times anew": lambda: os.utime(victim),
    "to give a file attributes": lambda: call(188, name, b"user.a", b"b", 1, 0),
    "to take a file's owner": lambda: os.chown(victim, 0, 0),
    "to change its own file's mode": lambda: os.fchmod(request_fd[0], 0o777),
    "to change its root": lambda: os.chroot("/"),
    "to change its folder": lambda: os.chdir("/"),
    "to copy a tree of mounts": lambda: call(428, -100, b"/", 1),
    "to mount": lambda: call(165, b"none", b"/mnt", b"tmpfs", 0, None),
    "to watch the file system": lambda: call(300, 0, 0),
    "to watch a folder": lambda: call(294, 0),
    "a file in memory": lambda: os.memfd_create("x"),
    "a pipe": lambda: os.pipe(),
    "another process": lambda: os.fork() or os._exit(0),
    "another program": lambda: os.execv("/bin/true", ["true"]),
    "a namespace": lambda: call(272, 0x10000000),
    "a signal to its parent": lambda: os.kill(os.getppid(), 0),
    "a signal to its parent's thread": lambda: call(234, os.getppid(), os.getppid(), 0),
    "a signal by its file": lambda: __import__("fcntl").fcntl(request_fd[0], 8, os.getppid()),
    "to look into its parent": lambda: call(101, 16, os.getppid(), 0, 0),
    "to read its parent's memory": lambda: call(310, os.getppid(), buffer, 1, buffer, 1, 0),
    "more memory": lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),
    "more memory in a new way": lambda: call(302, 0, 4, buffer, None),
    "another user": lambda: os.setuid(0),
    "a key": lambda: call(248, b"user", b"a", b"b", 1, -3),
    "to look for a key": lambda: call(250, 0, -3, 0),
    "shared memory": lambda: call(29, 0, 4096, 0o1600),
    "an io_uring": lambda: call(425, 8, buffer),
    "a program for the kernel": lambda: call(321, 0, buffer, 128),
    "to handle page faults": lambda: call(323, 0),
    "another filter": lambda: call(317, 1, 0, buffer),
    "to load a module": lambda: call(175, buffer, 1, b""),
    "to set the clock": lambda: call(227, 0, buffer),
    "to name the machine": lambda: call(170, b"x", 1),
    "to type into a terminal": lambda: call(16, 0, 0x5412, b"x"),
    "to be left alone by its parent's end": lambda: __import__("fcntl").fcntl(0, 4, 0),
}}
request_fd = []

def outcomes():
    result = {{}}
    for each, attempt in attempts.items():
        try:
            attempt()
            result[each] = "done"
        except OSError as error:
            result[each] = error.errno
        except ValueError as error:  # what the resource module makes of a refusal
            result[each] = 1
    return result

there, may_go = {{}}, threading.Event()
thread = threading.Thread(target=lambda: may_go.wait() and there.update(outcomes()), daemon=True)
thread.start()  # before: the filter must reach it too
"""
BODY = """
request_fd.append(request.fd)
here = outcomes()
may_go.set()
thread.join()
yield Opened("image", "x", 1, 1, None, None, 0, {})
yield json.dumps(here)
yield json.dumps(there)
"""
HARMLESS = ["a new socket", "a pair of sockets", "to read a file", "a file in memory", "a pipe", "to list a folder"]
HARMLESS += ["to change a file's times", "to connect a socket that it had", "to be left alone by its parent's end"]


@pytest.fixture
def attempt(tmp_path, monkeypatch, load):
    """What came of each attempt, in the thread that decodes and in one that was there before it was confined."""

    def attempt(setup: str = "") -> list[dict[str, int | str]]:
        victim = tmp_path / "victim"
        victim.write_text("still here")
        Image.new("RGB", (8, 8)).save(tmp_path / "picture.png")
        with socket.create_server(("127.0.0.1", 0)) as server:
            code = reader(BODY, SETUP.format(port=server.getsockname()[1], victim=str(victim)) + setup)
            customize(monkeypatch, tmp_path / "custom", code)
            warnings = load(tmp_path / "picture.png").warnings
        assert victim.read_text() == "still here"
        assert {each.name for each in tmp_path.iterdir()} == {"victim", "picture.png", "custom"}
        return [json.loads(each) for each in warnings]

    return attempt


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers of the attempts are those of x86-64")
def test_confined_process_can_do_nothing_of_harm(attempt):
    for outcomes in attempt():
        assert len(outcomes) > 40
        refused = (errno.EPERM, errno.ENOSYS)
        assert {name: outcome for name, outcome in outcomes.items() if outcome not in refused} == {}


def test_the_same_attempts_work_where_nothing_is_confined(attempt):
    free = f"attempts = {{k: attempts[k] for k in {HARMLESS}}}; sandbox.lock_down = lambda: None\n"
    # As whoever runs this: nobody could not read the file, whatever the filter.
    free += "from deepfake_client.media import rights; rights.drop = lambda: None\n"
    here, _ = attempt(free)
    assert set(here.values()) == {"done"}, here


def status(process: Path) -> dict[str, str]:
    return dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines())


def test_the_decoder_is_confined_while_it_decodes(running, long_clip):
    process = Path(f"/proc/{running.process}")
    limits = (process / "limits").read_text()
    assert limit(limits, "Max address space") == str(1500 << 20)
    assert limit(limits, "Max cpu time") == "77"
    assert limit(limits, "Max file size") == "0"
    assert limit(limits, "Max core file size") == "0"
    assert b"HOME=" not in (process / "environ").read_bytes()
    held = {str(each.readlink()).split(":")[0] for each in (process / "fd").iterdir()}
    assert held == {"pipe", str(long_clip)}


def test_every_thread_of_the_decoder_is_confined_and_has_no_rights(running):
    tasks = list(Path(f"/proc/{running.process}/task").iterdir())
    assert len(tasks) > 1
    for told in map(status, tasks):
        assert (told["Seccomp"].strip(), told["NoNewPrivs"].strip()) == ("2", "1")
        assert {told[name].strip() for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's processes can become another user's")
def test_the_decoder_of_root_is_nobodys(running):
    for told in map(status, Path(f"/proc/{running.process}/task").iterdir()):
        assert told["Uid"].split() == told["Gid"].split() == [str(NOBODY)] * 4
        assert told["Groups"].split() == []


LOOK = """
import sys
from pathlib import Path
from deepfake_client.media import open_media
from deepfake_client.settings import ClientSettings

with open_media(sys.argv[1], "even", 1000, ClientSettings()) as media:
    next(iter(media))
    (child,) = [each for task in Path("/proc/self/task").iterdir() for each in (task / "children").read_text().split()]
    print(Path(f"/proc/{child}/status").read_text())
"""


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root's capabilities to lose, setpriv"
)
@pytest.mark.parametrize("lacking", ["-all", "-setuid", "-kill"])
def test_root_that_may_not_change_the_user_still_loses_its_capabilities(lacking, long_clip):
    command = ["setpriv", f"--bounding-set={lacking}", sys.executable, "-c", LOOK, str(long_clip)]
    text = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, timeout=60).stdout
    told = dict(line.split(":\t", 1) for line in text.splitlines() if line)
    assert told["Uid"].split() == ["0"] * 4
    assert {told[name].strip() for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}


def limit(limits: str, name: str) -> str:
    return next(line for line in limits.splitlines() if line.startswith(name)).removeprefix(name).split()[0]


# The filter by itself, for both machines


def verdict(machine: str, number: int, *arguments: int, audit: int | None = None, pid: int = 77) -> int | str:
    """What the filter makes of a call: "allowed", "killed", or the error's number (classic BPF, a machine of five)."""
    words = {0: number, 4: audit or sandbox.MACHINES[machine].audit}
    for place, argument in enumerate(arguments):
        words |= {16 + 8 * place: argument & 0xFFFFFFFF, 20 + 8 * place: argument >> 32}
    program, at, loaded = sandbox.program_for(machine, pid), 0, 0
    while True:
        code, if_true, if_false, operand = program[at]
        at += 1
        match code:
            case sandbox.LOAD:
                loaded = words.get(operand, 0)
            case sandbox.RETURN if operand == sandbox.ALLOW:
                return "allowed"
            case sandbox.RETURN:
                return "killed" if operand == sandbox.KILL_PROCESS else operand & 0xFFFF
            case sandbox.JUMP_EQUAL:
                at += if_true if loaded == operand else if_false
            case sandbox.JUMP_AT_LEAST:
                at += if_true if loaded >= operand else if_false
            case sandbox.JUMP_BITS:
                at += if_true if loaded & operand else if_false
            case _:
                raise AssertionError(f"unknown instruction {code:#x}")


@pytest.mark.parametrize("machine", sandbox.MACHINES)
def test_only_what_the_table_names_is_allowed(machine):
    named = set(allowed(machine).values())
    for number in [*range(1000), 0x40000000, 0x40000001, 0xFFFFFFFF]:
        expected = "allowed" if number in named else errno.EPERM if number < FIRST_NEW else errno.ENOSYS
        assert verdict(machine, number) == expected or number in {getattr(each, machine) for each in conditional(77)}


@pytest.mark.parametrize("machine", sandbox.MACHINES)
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("clone", (0x3D0F00,), "allowed"),  # pthread_create of glibc
        ("clone", (0x7D0F00,), "allowed"),  # of musl
        ("clone", (17,), errno.EPERM),  # fork
        ("clone", (0x4111,), errno.EPERM),  # vfork
        ("clone", (0x3D0F00 | 0x10000000,), errno.EPERM),  # a user namespace
        ("tgkill", (77, 78, 6), "allowed"),
        ("tgkill", (76, 76, 6), errno.EPERM),
        ("fcntl", (3, 1030, 0), "allowed"),  # F_DUPFD_CLOEXEC
        ("fcntl", (3, 4, 0x2000), errno.EPERM),  # F_SETFL
        ("fcntl", (3, 8, 1), errno.EPERM),  # F_SETOWN
        ("ioctl", (3, 0x5401, 0), "allowed"),
        ("ioctl", (0, 0x5412, 0), errno.EPERM),  # TIOCSTI
        ("prctl", (15, 0), "allowed"),
        ("prctl", (22, 0), errno.EPERM),  # PR_SET_SECCOMP
        ("prlimit64", (0, 3, 0, 0x7FFF00000000), "allowed"),
        ("prlimit64", (77, 3, 0, 0x7FFF00000000), "allowed"),
        ("prlimit64", (0, 3, 0x7FFF, 0), errno.EPERM),
        ("prlimit64", (0, 3, 0x7FFF00000000, 0), errno.EPERM),
        ("prlimit64", (76, 3, 0, 0x7FFF00000000), errno.EPERM),
    ],
)
def test_some_calls_depend_on_their_arguments(machine, name, arguments, expected):
    (number,) = [getattr(each, machine) for each in conditional(77) if each.name == name]
    assert verdict(machine, number, *arguments) == expected


@pytest.mark.parametrize("machine", sandbox.MACHINES)
def test_clone3_does_not_exist_so_that_libraries_take_clone(machine):
    assert verdict(machine, 435) == errno.ENOSYS


def test_another_architecture_ends_the_process():
    assert verdict("x86_64", 0, audit=0x40000003) == "killed"  # 32 bits: its numbers mean other calls


@pytest.mark.parametrize("machine", sandbox.MACHINES)
def test_numbers_are_the_kernels(machine):
    header = Path(HEADERS[machine])
    if not header.exists():
        pytest.skip("the kernel's headers are not installed")
    numbers = {name: int(number) for name, number in re.findall(r"__NR(?:3264)?_(\w+)\s+(\d+)", header.read_text())}
    numbers.setdefault("newfstatat", numbers.get("fstatat", -1))  # its name differs in the general table
    named = allowed(machine) | {each.name: getattr(each, machine) for each in conditional(77)}
    assert len(named) > 50
    assert {name: numbers[name] for name in named} == named
