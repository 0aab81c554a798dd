"""One uploaded file: streamed to one temporary file without a name, gone when its answer is, or its process."""

import errno
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from deepfake_client.errors import BusyError, DeepfakeError, TooLargeError, UsageError
from deepfake_client.settings import MIB
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header
from werkzeug.wsgi import get_content_length, get_input_stream

from deepfake_web import connection
from deepfake_web.settings import WebSettings

FIELD = "file"
FORM_BYTES = MIB // 2  # everything in the body but the file
MAX_PARTS = 16
HOW = f"Send multipart/form-data with one file in the field `{FIELD}`."


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
    """The body, chunked or not, up to a number of bytes. Werkzeug's own hides why a read failed."""

    def __init__(self, environ: connection.Environ, limit: int):
        self._stream = get_input_stream(environ)
        self._left = limit
        if (get_content_length(environ) or 0) > limit:
            raise RequestEntityTooLarge()

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise RequestEntityTooLarge()
        return data


def _read(environ: connection.Environ, file: IO[bytes], settings: WebSettings) -> dict[str, str]:
    try:
        with connection.reading(environ, settings.max_upload_s):
            options = _parse(environ, file, settings.max_bytes + FORM_BYTES)
            file.flush()
    except RequestEntityTooLarge as cause:
        raise TooLargeError(f"The upload is larger than {settings.max_bytes / MIB:g} MiB, the limit.") from cause
    except (TimeoutError, BlockingIOError) as cause:
        raise SlowUploadError("The upload took too long; try again over a faster connection.") from cause
    except (ValueError, UnicodeError, ParseException) as cause:
        raise UsageError(f"The form could not be read. {HOW}") from cause
    except OSError as cause:
        if cause.errno == errno.ENOSPC:
            raise BusyError("There is no room for another upload at the moment; try again later.", 60) from cause
        raise UsageError("The connection broke before the upload was complete.") from cause
    return options


def _parse(environ: connection.Environ, file: IO[bytes], limit: int) -> dict[str, str]:
    kind, parameters = parse_options_header(environ.get("CONTENT_TYPE"))
    if kind != "multipart/form-data":
        raise UsageError(HOW)
    names: list[str] = []

    def into_file(filename: str | None, **_: object) -> IO[bytes]:
        # Given a stream of our own, Werkzeug spools no second copy.
        names.append(filename or "")
        if len(names) > 1:
            raise UsageError(f"There is more than one file. {HOW}")
        return file

    parser = FormDataParser(into_file, max_form_memory_size=FORM_BYTES, silent=False, max_form_parts=MAX_PARTS)  # type: ignore[arg-type]
    _, fields, files = parser.parse(_Bounded(environ, limit), kind, get_content_length(environ), parameters)  # type: ignore[arg-type]
    file.seek(0, 2)
    # A browser sends a part without name and content where no file was chosen.
    if FIELD not in files or (not names[0] and not file.tell()):
        raise UsageError(f"There is no file. {HOW}")
    repeated = [name for name, values in fields.lists() if len(values) > 1]
    if repeated:
        raise UsageError(f"The field {repeated[0][:40]!r} is there more than once; send it once.")
    return fields.to_dict()
