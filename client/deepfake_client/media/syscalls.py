"""The system calls that decoding needs, and no others.

Found by watching the decoding process over pictures and clips of all kinds and Content Credentials (strace, glibc
2.36), with what other versions of glibc and musl use for the same. Numbers from the kernel's tables:
arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
"""

from dataclasses import dataclass

# Those from here on came later than the C libraries' ways round them: told not to exist, so that such a way is taken.
FIRST_NEW = 424

# name, number on x86-64, number on aarch64, who needs it. Often used ones come first: the filter asks in this order.
ALLOWED = """
futex              202  98  locks, of all threads
read                 0  63  the file
lseek                8  62  the file
pread64             17  67  the file, for its boxes and markers
write                1  64  frames to the pipe
madvise             28 233  malloc, thread stacks
mprotect            10 226  malloc, thread stacks
brk                 12 214  malloc
mmap                 9 222  malloc, frames, thread stacks, closures of ctypes (c2pa)
munmap              11 215  the same
mremap              25 216  malloc, for large blocks that grow
mbind              237 235  OpenBLAS, for its buffers
get_mempolicy      239 236  OpenBLAS
membarrier         324 283  locks of some C libraries
readv               19  65  the file, by C++ and Rust streams, musl
preadv             295  69  the same
writev              20  66  musl and Rust, for messages
close                3  57  the file's copies
dup                 32  23  FFmpeg, for the file
fstat                5  80  the size of the file
newfstatat         262  79  the same, in glibc from 2.33
statx              332 291  the same, in musl and Rust
poll                 7   -  Rust and Python, for descriptors
ppoll              271  73  the same
select              23   -  Python, to wait
pselect6           270  72  the same
getpid              39 172  OpenSSL in c2pa, abort
gettid             186 178  abort, names of threads
getppid            110 173  Python
getuid             102 174  C libraries, whether to trust the environment
geteuid            107 175  the same
getgid             104 176  the same
getegid            108 177  the same
set_robust_list    273  99  the start of a thread
rseq               334 293  the start of a thread, glibc from 2.35
set_tid_address    218  96  the start of a thread, musl
exit                60  93  the end of a thread
exit_group         231  94  the end
restart_syscall    219 128  the kernel, after a stop
rt_sigaction        13 134  Python at its end, abort
rt_sigprocmask      14 135  the start and end of threads
rt_sigreturn        15 139  the end of a signal's handler
sigaltstack        131 132  faulthandler, threads of Rust
sched_yield         24 124  locks that spin
sched_getaffinity  204 123  how many processors: FFmpeg, dav1d, Rust
sched_getparam     143 121  the start of a thread in musl
sched_getscheduler 145 120  the same
sched_get_priority_max 146 125 thread pools
sched_get_priority_min 147 126 thread pools
getcpu             309 168  which processor: malloc
clock_gettime      228 113  the time, where the kernel's shared page has no clock
clock_getres       229 114  Python's clocks
clock_nanosleep    230 115  to wait
nanosleep           35 101  the same, in musl
gettimeofday        96 169  the time
time               201   -  the time
times              100 153  processor time used
getrusage           98 165  the same
getrandom          318 278  keys of hash tables
uname               63 160  what machine: Rust, OpenSSL
sysinfo             99 179  how much memory: qsort in glibc before 2.37
getrlimit           97 163  the size of a thread's stack
"""

LOW, HIGH = 0, 4  # the halves of an argument, both architectures are little-endian


@dataclass(frozen=True)
class Condition:
    """What must hold for half of an argument, counted from 0: it is one of `values`, or has a bit of `needs`, or has no
    bit of `forbids`."""

    argument: int
    half: int = LOW
    values: tuple[int, ...] = ()
    needs: int = 0
    forbids: int = 0


@dataclass(frozen=True)
class Conditional:
    """A system call that is allowed where all conditions hold."""

    name: str
    x86_64: int
    aarch64: int
    conditions: tuple[Condition, ...]


CLONE_THREAD = 0x10000
CLONE_NEW = 0x7E020000  # all namespaces
PR_SET_NAME, PR_GET_NAME, PR_SET_VMA = 15, 16, 0x53564D41
F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC, F_GETPIPE_SZ = 0, 1, 2, 3, 1030, 1032
TCGETS, FIONREAD, FIONCLEX, FIOCLEX = 0x5401, 0x541B, 0x5450, 0x5451


def conditional(pid: int) -> tuple[Conditional, ...]:
    """Those that are allowed for some arguments only, in the process with this number."""
    return (
        # Threads of FFmpeg, dav1d and Rust; no processes. clone3's flags lie in memory, out of a filter's sight: it
        # does not exist here, and C libraries then take clone.
        Conditional("clone", 56, 220, (Condition(0, needs=CLONE_THREAD), Condition(0, forbids=CLONE_NEW))),
        # abort and faulthandler signal this process; nobody else.
        Conditional("tgkill", 234, 131, (Condition(0, values=(pid,)),)),
        # Python and FFmpeg, on the file's copies. Not whom to signal, and not the flags of the lifeline.
        Conditional(
            "fcntl",
            72,
            25,
            (Condition(1, values=(F_SETFD, F_GETFD, F_GETFL, F_DUPFD, F_DUPFD_CLOEXEC, F_GETPIPE_SZ)),),
        ),
        # Python asks of each file whether it is a terminal, and some read the size of what waits.
        Conditional("ioctl", 16, 29, (Condition(1, values=(TCGETS, FIONREAD, FIOCLEX, FIONCLEX)),)),
        # Names of threads and, in glibc from 2.39, of memory.
        Conditional("prctl", 157, 167, (Condition(0, values=(PR_SET_NAME, PR_GET_NAME, PR_SET_VMA)),)),
        # getrlimit in glibc, for the size of thread stacks; sets nothing.
        Conditional(
            "prlimit64",
            302,
            261,
            (Condition(0, values=(0, pid)), Condition(2, values=(0,)), Condition(2, HIGH, values=(0,))),
        ),
    )


def allowed(machine: str) -> dict[str, int]:
    """Names and numbers of those that are always allowed, on "x86_64" or "aarch64", in the table's order."""
    column = {"x86_64": 1, "aarch64": 2}[machine]
    lines = [line.split(maxsplit=3) for line in ALLOWED.strip().splitlines()]
    return {line[0]: int(line[column]) for line in lines if line[column] != "-"}
