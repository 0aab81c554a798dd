"""What can go wrong with a file or a server, each with its HTTP status and exit code."""


class DeepfakeError(Exception):
    """A failure told in one sentence for people: what was wrong and what to do.

    `status` is the HTTP status, `title` the short name in problem+json, `exit_code` what `deepfake scan` ends with.
    """

    status = 500
    title = "Internal error"
    exit_code = 3

    @property
    def detail(self) -> str:
        return str(self)


class UsageError(DeepfakeError):
    """An option or a request that does not make sense."""

    status, title, exit_code = 400, "Bad request", 2


class TooLargeError(DeepfakeError):
    """Over a limit; the sentence says which."""

    status, title = 413, "Too large"


class UnsupportedMediaError(DeepfakeError):
    """Not a picture or video that is read here; the sentence says what it is."""

    status, title = 415, "Unsupported media"


class DamagedMediaError(DeepfakeError):
    """A picture or video without anything to analyse: damaged, empty, encrypted, without frames."""

    status, title = 422, "Nothing to analyse"


class BusyError(DeepfakeError):
    """Too much work at once; worth trying again after `retry_after_s` seconds."""

    status, title, exit_code = 429, "Busy", 4

    def __init__(self, message: str, retry_after_s: int = 5):
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UnavailableError(DeepfakeError):
    """Triton can't be reached, or doesn't serve what is needed."""

    status, title, exit_code = 503, "Detector unavailable", 4


class DeadlineError(DeepfakeError):
    """The work took longer than it may."""

    status, title, exit_code = 504, "Deadline passed", 4
