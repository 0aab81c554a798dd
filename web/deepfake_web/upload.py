"""One uploaded file: streamed to one temporary file without a name, gone when its answer is, or its process."""

import errno
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from deepfake_client.settings import MIB
from deepfake_contract.errors import BusyError, DeepfakeError, TooLargeError, UsageError
from gunicorn.http.errors import ParseException
from werkzeug.http import parse_options_header
from werkzeug.wsgi import get_content_length, get_input_stream

from deepfake_web import connection
from deepfake_web.form import FIELDS_BYTES, HOW, read_form
from deepfake_web.settings import WebSettings


class SlowUploadError(DeepfakeError):
    """The upload paused or lasted longer than it may."""

    status, title = 408, "Upload too slow"


@dataclass(frozen=True)
class Upload:
    """The stored file, which only this process can open, and the other fields of the form. The name and the type that
    the client declared are not looked at."""

    path: Path
    options: dict[str, str]


def check_folder(settings: WebSettings) -> None:
    """UsageError where no upload could be stored: at the start, not at the first one."""
    try:
        with tempfile.TemporaryFile(dir=settings.upload_folder or None):
            pass
    except OSError as cause:
        named = settings.upload_folder or "the system's folder for temporary files"
        raise UsageError(
            f"No upload can be stored in {named}: {cause.strerror}. Set DEEPFAKE_UPLOAD_FOLDER to a folder that exists "
            "and can be written to."
        ) from cause


@contextmanager
def received(environ: connection.Environ, settings: WebSettings) -> Iterator[Upload]:
    """Reads the request's body; raises UsageError, TooLargeError, SlowUploadError, BusyError (no disk left)."""
    with tempfile.TemporaryFile(dir=settings.upload_folder or None) as file:
        options = _read(environ, file, settings)
        yield Upload(Path(f"/proc/self/fd/{file.fileno()}"), options)


class _Bounded:
    """The body, chunked or not, up to the limit. Werkzeug's own hides why a read failed."""

    def __init__(self, environ: connection.Environ, settings: WebSettings):
        self._stream = get_input_stream(environ)
        self._left = settings.max_bytes + FIELDS_BYTES
        self._why = f"The upload is over {settings.max_bytes / MIB:g} MiB, the limit. Send a shorter piece of it."
        if (get_content_length(environ) or 0) > self._left:
            raise TooLargeError(self._why)

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise TooLargeError(self._why)
        return data


def _read(environ: connection.Environ, file: IO[bytes], settings: WebSettings) -> dict[str, str]:
    try:
        with connection.reading(environ, settings.max_upload_s):
            options = _parse(environ, file, settings)
            file.flush()
    except (TimeoutError, BlockingIOError) as cause:
        raise SlowUploadError("The upload took too long; try again over a faster connection.") from cause
    except (ValueError, UnicodeError, ParseException) as cause:
        raise UsageError(f"The form could not be read. {HOW}") from cause
    except OSError as cause:
        if cause.errno == errno.ENOSPC:
            raise BusyError("There is no room for another upload at the moment; try again later.", 60) from cause
        raise UsageError("The connection broke before the upload was complete.") from cause
    return options


def _parse(environ: connection.Environ, file: IO[bytes], settings: WebSettings) -> dict[str, str]:
    kind, parameters = parse_options_header(environ.get("CONTENT_TYPE"))
    if kind != "multipart/form-data" or not parameters.get("boundary"):
        raise UsageError(f"The request's type is {environ.get('CONTENT_TYPE', '')[:60]!r}. {HOW}")
    return read_form(_Bounded(environ, settings).read, parameters["boundary"], file)
