"""What the decoding process may not do, so that a file which takes it over gains nothing.

Resource limits bound memory, processor time and files; a seccomp filter (Linux, kernel documentation
`userspace-api/seccomp_filter`) takes away what they can't: all system calls that decoding has no need of.
"""

import ctypes
import errno
import fcntl
import os
import resource
import select
import signal
from collections.abc import Iterator
from dataclasses import dataclass

from deepfake_contract.errors import DeepfakeError

from deepfake_client.media.syscalls import FIRST_NEW, Condition, allowed, conditional

OPEN_FILES = 64  # the file, the pipes, and what the interpreter holds


@dataclass(frozen=True)
class Machine:
    """AUDIT_ARCH_* and the number of seccomp(2)."""

    audit: int
    seccomp: int


MACHINES = {"x86_64": Machine(0xC000003E, seccomp=317), "aarch64": Machine(0xC00000B7, seccomp=277)}

# linux/bpf_common.h and linux/seccomp.h
LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_BITS, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT, ARGUMENT_BYTES = 0, 4, 16, 8  # offsets in struct seccomp_data
ALLOW, ERRNO, KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
PR_SET_NO_NEW_PRIVS, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC = 38, 1, 1

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("filter", ctypes.POINTER(_Instruction)))


def limit(memory_bytes: int, cpu_s: int) -> None:
    """Bounds address space and processor time; no core file, nothing written to files."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def end_with(lifeline: int) -> None:
    """Has the kernel end this process when the other end of the pipe closes, whatever this process is doing.

    A parent-death signal would come when the parent's *thread* ends, which may be long before.
    """
    fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)  # nobody can hold it up, not even by stopping us
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([lifeline], [], [], 0)[0]:  # closed before we were listening
        os._exit(1)


def lock_down() -> None:
    """Leaves every thread of this process the calls that decoding needs (`syscalls`), for good.

    Import everything first. Raises DeepfakeError where that can't be had: strangers' files are not decoded then.
    """
    name = os.uname().machine
    if name not in MACHINES:
        raise DeepfakeError(f"Files can't be decoded safely on {name}: no list of its system calls is kept here.")
    program = program_for(name, os.getpid())
    libc = ctypes.CDLL(None, use_errno=True)
    filters = ctypes.byref(
        _Program(len(program), (_Instruction * len(program))(*(_Instruction(*each) for each in program)))
    )
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.syscall(
        MACHINES[name].seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, filters
    ):
        reason = os.strerror(ctypes.get_errno())
        raise DeepfakeError(f"Files can't be decoded safely here: this system refuses a seccomp filter ({reason}).")


def program_for(machine: str, pid: int) -> list[Instruction]:
    """The filter for a process with this number.

    What is refused fails with EPERM, which becomes an exception that says where: ending the process would not. What is
    newer than C libraries need does not exist (ENOSYS): they take an older way.
    """
    allow = (RETURN, 0, 0, ALLOW)
    refuse = (RETURN, 0, 0, ERRNO | errno.EPERM)
    program = [
        (LOAD, 0, 0, ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, MACHINES[machine].audit),
        (RETURN, 0, 0, KILL_PROCESS),
        (LOAD, 0, 0, NUMBER),
    ]
    for number in allowed(machine).values():
        program += [(JUMP_EQUAL, 0, 1, number), allow]
    for call in conditional(pid):
        body = [each for condition in call.conditions for each in _test(condition, refuse)]
        program += [(JUMP_EQUAL, 0, len(body) + 1, getattr(call, machine)), *body, allow]
    does_not_exist = (RETURN, 0, 0, ERRNO | errno.ENOSYS)
    return [*program, (JUMP_AT_LEAST, 0, 1, FIRST_NEW), does_not_exist, refuse]  # x32's begin far above


def _test(condition: Condition, refuse: Instruction) -> Iterator[Instruction]:
    """Goes on behind where the condition holds."""
    yield (LOAD, 0, 0, FIRST_ARGUMENT + ARGUMENT_BYTES * condition.argument + condition.half)
    if condition.needs:
        yield (JUMP_BITS, 1, 0, condition.needs)
    elif condition.forbids:
        yield (JUMP_BITS, 0, 1, condition.forbids)
    for left, value in zip(reversed(range(len(condition.values))), condition.values, strict=True):
        yield (JUMP_EQUAL, left + 1, 0, value)
    yield refuse
