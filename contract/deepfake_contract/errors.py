"""The one family of errors: what can go wrong, each with its HTTP status and exit code."""


class DeepfakeError(Exception):
    """A failure told in one sentence for people: what was wrong and what to do.

    `status` is the HTTP status, `title` the short name in problem+json, `exit_code` what the command ends with.
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


class SetUpError(DeepfakeError):
    """An environment can't be set up, or a command is called in one that lacks what it needs."""

    exit_code = 2


class ServingError(UnavailableError):
    """Triton can't be started or kept alive; a sentence for an operator, with what to do or what the log says."""


class BundleError(DeepfakeError):
    """A bundle or its description is wrong; the sentence names the file or key, and what to do."""

    title, exit_code = "Bad bundle", 1


class ExportError(DeepfakeError):
    """A bundle could not be exported."""

    title, exit_code = "Not exported", 1
