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

OPEN_FILES = 64  # the file, the pipes, and what the interpreter holds
CLONE_THREAD = 0x10000

# Numbers from the kernel's tables: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
DENIED = {
    "x86_64": {
        **{"socket": 41, "connect": 42, "accept": 43, "sendto": 44, "bind": 49, "listen": 50, "socketpair": 53},
        **{"fork": 57, "vfork": 58, "execve": 59, "execveat": 322, "kill": 62, "tkill": 200, "ptrace": 101},
        **{"open": 2, "creat": 85, "openat": 257, "openat2": 437, "open_by_handle_at": 304, "memfd_create": 319},
        **{"rename": 82, "mkdir": 83, "rmdir": 84, "link": 86, "unlink": 87, "symlink": 88, "chmod": 90, "chown": 92},
        **{"mkdirat": 258, "mknodat": 259, "unlinkat": 263, "renameat": 264, "linkat": 265, "symlinkat": 266},
        **{"renameat2": 316, "truncate": 76, "mknod": 133, "fchmodat": 268, "fchownat": 260, "mount": 165},
        **{"process_vm_readv": 310, "process_vm_writev": 311, "pidfd_open": 434, "pidfd_getfd": 438},
        **{"pidfd_send_signal": 424, "bpf": 321, "userfaultfd": 323, "perf_event_open": 298, "keyctl": 250},
        **{"io_uring_setup": 425, "unshare": 272, "setns": 308, "prlimit64": 302, "setrlimit": 160},
    },
    "aarch64": {
        **{"socket": 198, "socketpair": 199, "bind": 200, "listen": 201, "accept": 202, "connect": 203, "sendto": 206},
        **{"execve": 221, "execveat": 281, "kill": 129, "tkill": 130, "ptrace": 117},
        **{"openat": 56, "openat2": 437, "open_by_handle_at": 265, "memfd_create": 279},
        **{"mknodat": 33, "mkdirat": 34, "unlinkat": 35, "symlinkat": 36, "linkat": 37, "renameat": 38},
        **{"renameat2": 276, "truncate": 45, "fchmodat": 53, "fchownat": 54, "mount": 40},
        **{"process_vm_readv": 270, "process_vm_writev": 271, "pidfd_open": 434, "pidfd_getfd": 438},
        **{"pidfd_send_signal": 424, "bpf": 280, "userfaultfd": 282, "perf_event_open": 241, "keyctl": 219},
        **{"io_uring_setup": 425, "unshare": 97, "setns": 268, "prlimit64": 261, "setrlimit": 164},
    },
}
ARCHITECTURES = {  # AUDIT_ARCH_*, and the numbers of clone, clone3 and seccomp
    "x86_64": (0xC000003E, 56, 435, 317),
    "aarch64": (0xC00000B7, 220, 435, 277),
}

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
    signal.signal(signal.SIGIO, signal.SIG_DFL)  # which ends the process
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([lifeline], [], [], 0)[0]:  # closed before we were listening
        os._exit(1)


def lock_down() -> None:
    """Denies sockets, opening files and starting programs to every thread of this process, for good.

    Import everything first. Raises OSError where the kernel has no seccomp, and KeyError on another architecture.
    """
    machine = os.uname().machine
    program = _filter(machine)
    instructions = (_Instruction * len(program))(*program)
    libc = ctypes.CDLL(None, use_errno=True)
    seccomp = ARCHITECTURES[machine][3]
    filters = ctypes.byref(_Program(len(program), instructions))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.syscall(
        seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, filters
    ):
        raise OSError(ctypes.get_errno(), "no seccomp filter")


def _filter(machine: str) -> list[tuple[int, int, int, int]]:
    """The filter as (code, jump if true, jump if false, operand)."""
    audit, clone, clone3, _ = ARCHITECTURES[machine]
    program = [
        (LOAD, 0, 0, ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, audit),
        (RETURN, 0, 0, KILL_PROCESS),
        (LOAD, 0, 0, NUMBER),
        (JUMP_AT_LEAST, 0, 1, 0x40000000),  # the x32 numbering would pass by every comparison below
        (RETURN, 0, 0, ERRNO | errno.EPERM),
        (JUMP_EQUAL, 0, 1, clone3),  # its flags are in memory, out of a filter's sight: glibc then takes clone
        (RETURN, 0, 0, ERRNO | errno.ENOSYS),
    ]
    for number in DENIED[machine].values():
        program += [(JUMP_EQUAL, 0, 1, number), (RETURN, 0, 0, ERRNO | errno.EACCES)]
    return [
        *program,
        (JUMP_EQUAL, 0, 3, clone),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (JUMP_BITS, 1, 0, CLONE_THREAD),  # threads yes, processes no
        (RETURN, 0, 0, ERRNO | errno.EACCES),
        (RETURN, 0, 0, ALLOW),
    ]
