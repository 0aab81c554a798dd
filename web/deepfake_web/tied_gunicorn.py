"""gunicorn that ends with its launcher: python -m deepfake_web.tied_gunicorn LAUNCHER APPLICATION OPTION…

`LAUNCHER` is the process that started it. A `preexec_fn` could tie the two as well, but may hang where the launcher has
threads.
"""

import ctypes
import os
import signal
import sys

from gunicorn.app.wsgiapp import run

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main(launcher: int, arguments: list[str]) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != launcher:  # it ended before the kernel was asked to tell
        sys.exit()
    sys.argv = ["gunicorn", *arguments]
    run()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
