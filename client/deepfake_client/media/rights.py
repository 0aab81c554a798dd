"""Gives up what a process of root may do, in the decoding process, once everything is imported."""

import ctypes
import os
from contextlib import suppress

NOBODY = 65534  # user and group; a container's map of users reaches it where it reaches 65,536, as is usual
CAP_KILL, CAP_SETGID, CAP_SETUID = 5, 6, 7  # linux/capability.h
VERSION_3 = 0x20080522  # _LINUX_CAPABILITY_VERSION_3: two words a set


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def drop() -> None:
    """Makes this process one of nobody's where it may, and takes every capability from it. OSError where it can't.

    Call it before threads are started: a thread keeps its own capabilities. What is opened before stays readable.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    # Who starts us must still be able to end us: without the right to signal others' processes, all stay one user's.
    if all(_effective(libc) >> each & 1 for each in (CAP_KILL, CAP_SETGID, CAP_SETUID)):
        with suppress(OSError):  # a container may have no such user; without capabilities its root can do little
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
    if libc.capset(ctypes.byref(_Header(VERSION_3, 0)), (_Sets * 2)()):
        raise OSError(ctypes.get_errno(), "capset")


def _effective(libc: ctypes.CDLL) -> int:
    sets = (_Sets * 2)()
    if libc.capget(ctypes.byref(_Header(VERSION_3, 0)), sets):
        raise OSError(ctypes.get_errno(), "capget")
    return sets[0].effective | sets[1].effective << 32
