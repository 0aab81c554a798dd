"""What the decoding process may not do, so that a file which takes it over gains nothing.

Resource limits bound memory, processor time and files; a seccomp filter (Linux, kernel documentation
`userspace-api/seccomp_filter`) takes away what they can't: networking, opening files, starting programs.
"""

import ctypes
import errno
import fcntl
import os
import resource
import select
import signal
from dataclasses import dataclass

from deepfake_client.errors import DeepfakeError

OPEN_FILES = 64  # the file, the pipes, and what the interpreter holds
FIRST_UNKNOWN = 451  # system calls that are newer than this list are told not to exist; all take another way then

# Numbers from the kernel's tables: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
DENIED = {
    "x86_64": {
        **{"socket": 41, "connect": 42, "accept": 43, "sendto": 44, "bind": 49, "listen": 50, "socketpair": 53},
        **{"fork": 57, "vfork": 58, "execve": 59, "execveat": 322, "ptrace": 101, "kill": 62, "tkill": 200},
        **{"rt_sigqueueinfo": 129, "rt_tgsigqueueinfo": 297, "pidfd_open": 434, "pidfd_getfd": 438},
        **{"pidfd_send_signal": 424, "process_vm_readv": 310, "process_vm_writev": 311},
        **{"open": 2, "creat": 85, "openat": 257, "openat2": 437, "open_by_handle_at": 304, "memfd_create": 319},
        **{"rename": 82, "mkdir": 83, "rmdir": 84, "link": 86, "unlink": 87, "symlink": 88, "chmod": 90, "chown": 92},
        **{"mkdirat": 258, "mknodat": 259, "unlinkat": 263, "renameat": 264, "linkat": 265, "symlinkat": 266},
        **{"renameat2": 316, "truncate": 76, "mknod": 133, "fchmodat": 268, "fchownat": 260, "mount": 165},
        **{"shmget": 29, "semget": 64, "msgget": 68, "mq_open": 240, "unshare": 272, "setns": 308},
        **{"io_uring_setup": 425, "bpf": 321, "userfaultfd": 323, "perf_event_open": 298, "keyctl": 250},
        **{"setrlimit": 160, "prlimit64": 302},
    },
    "aarch64": {
        **{"socket": 198, "socketpair": 199, "bind": 200, "listen": 201, "accept": 202, "connect": 203, "sendto": 206},
        **{"execve": 221, "execveat": 281, "ptrace": 117, "kill": 129, "tkill": 130},
        **{"rt_sigqueueinfo": 138, "rt_tgsigqueueinfo": 240, "pidfd_open": 434, "pidfd_getfd": 438},
        **{"pidfd_send_signal": 424, "process_vm_readv": 270, "process_vm_writev": 271},
        **{"openat": 56, "openat2": 437, "open_by_handle_at": 265, "memfd_create": 279},
        **{"mknodat": 33, "mkdirat": 34, "unlinkat": 35, "symlinkat": 36, "linkat": 37, "renameat": 38},
        **{"renameat2": 276, "truncate": 45, "fchmodat": 53, "fchownat": 54, "mount": 40},
        **{"shmget": 194, "semget": 190, "msgget": 186, "mq_open": 180, "unshare": 97, "setns": 268},
        **{"io_uring_setup": 425, "bpf": 280, "userfaultfd": 282, "perf_event_open": 241, "keyctl": 219},
        **{"setrlimit": 164, "prlimit64": 261},
    },
}


@dataclass(frozen=True)
class Machine:
    """AUDIT_ARCH_* and the numbers of four system calls that are treated each in its own way."""

    audit: int
    clone: int
    clone3: int
    tgkill: int
    seccomp: int


MACHINES = {
    "x86_64": Machine(0xC000003E, clone=56, clone3=435, tgkill=234, seccomp=317),
    "aarch64": Machine(0xC00000B7, clone=220, clone3=435, tgkill=131, seccomp=277),
}
CLONE_THREAD = 0x10000

# linux/bpf_common.h and linux/seccomp.h
LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_BITS, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
ALLOW, ERRNO, KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
PR_SET_NO_NEW_PRIVS, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC = 38, 1, 1


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
    """Denies sockets, opening files and starting programs to every thread of this process, for good.

    Import everything first. Raises DeepfakeError where that can't be had: strangers' files are not decoded then.
    """
    name = os.uname().machine
    if name not in MACHINES:
        raise DeepfakeError(f"Files can't be decoded safely on {name}: no list of its system calls is kept here.")
    program = _filter(MACHINES[name], list(DENIED[name].values()))
    libc = ctypes.CDLL(None, use_errno=True)
    filters = ctypes.byref(
        _Program(len(program), (_Instruction * len(program))(*(_Instruction(*each) for each in program)))
    )
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.syscall(
        MACHINES[name].seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, filters
    ):
        reason = os.strerror(ctypes.get_errno())
        raise DeepfakeError(f"Files can't be decoded safely here: this system refuses a seccomp filter ({reason}).")


def _filter(machine: Machine, denied: list[int]) -> list[tuple[int, int, int, int]]:
    """The filter as (code, jump if true, jump if false, operand)."""
    allow = (RETURN, 0, 0, ALLOW)
    deny = (RETURN, 0, 0, ERRNO | errno.EACCES)
    does_not_exist = (RETURN, 0, 0, ERRNO | errno.ENOSYS)
    program = [
        (LOAD, 0, 0, ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, machine.audit),
        (RETURN, 0, 0, KILL_PROCESS),
        (LOAD, 0, 0, NUMBER),
        (JUMP_AT_LEAST, 0, 1, FIRST_UNKNOWN),  # also the x32 numbers, which begin far above
        does_not_exist,
        (JUMP_EQUAL, 0, 1, machine.clone3),  # its flags lie in memory, out of a filter's sight; libc then takes clone
        does_not_exist,
    ]
    for number in denied:
        program += [(JUMP_EQUAL, 0, 1, number), deny]
    for number, test in (
        (machine.clone, (JUMP_BITS, 0, 1, CLONE_THREAD)),  # threads yes, processes no
        (machine.tgkill, (JUMP_EQUAL, 0, 1, os.getpid())),  # abort signals itself; nobody else
    ):
        program += [(JUMP_EQUAL, 0, 4, number), (LOAD, 0, 0, FIRST_ARGUMENT), test, allow, deny]
    return [*program, allow]
