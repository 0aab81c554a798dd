"""Whether a failure while decoding is the file's fault or ours, and what the log is told of ours."""

import errno
import sys
import traceback
from collections.abc import Iterator

from deepfake_contract.errors import DeepfakeError

DECODERS = {"av", "PIL", "pillow_heif", "c2pa"}  # what they raise says something about the file
PASSED_OVER = sys.stdlib_module_names | {"numpy"}  # what is raised in these is its caller's doing
REFUSED = {errno.EPERM, errno.EACCES, errno.ENOSYS}  # what the sandbox answers


def is_the_files(error: BaseException) -> bool:
    """A refusal of ours, or raised from within a decoder; not where an import came too late or the sandbox refused."""
    if any(_is_refused(each) for each in _chain(error)):
        return False
    if isinstance(error, DeepfakeError):
        return True
    owners = [each for each in map(_owner, traceback.walk_tb(error.__traceback__)) if each not in PASSED_OVER]
    return bool(owners) and owners[-1] in DECODERS


def trace(error: BaseException) -> str:
    """A traceback that holds nothing of the file: an exception's own words only where they can't."""
    lines = []
    for each in _chain(error):
        lines += [f"{type(each).__module__}.{type(each).__qualname__}{_words(each)}"]
        lines += [
            f"  {_module(step)}:{step[1]} {step[0].f_code.co_name}" for step in traceback.walk_tb(each.__traceback__)
        ]
    return "\n".join(lines) + "\n"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _is_refused(error: BaseException) -> bool:
    if type(error).__module__.startswith("av."):  # FFmpeg has numbers like these of its own
        return False
    return isinstance(error, ImportError) or (isinstance(error, OSError) and error.errno in REFUSED)


def _words(error: BaseException) -> str:
    if isinstance(error, ImportError | NameError):
        return f": {error}"
    return f": {error.strerror}" if isinstance(error, OSError) and error.strerror else ""


def _owner(step: tuple) -> str:
    return _module(step).split(".", 1)[0]


def _module(step: tuple) -> str:
    """The name of a frame's module; a frame of Cython has its file's path in the package only."""
    frame = step[0]
    return frame.f_globals.get("__name__") or frame.f_code.co_filename.removesuffix(".py").replace("/", ".")
