"""Reads multipart/form-data (RFC 7578) with one file in it as it comes: the file to where it is stored, the other
fields into memory, each within its bound."""

import re
from collections.abc import Callable
from typing import IO

from deepfake_contract.errors import TooLargeError, UsageError
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

FIELD = "file"
FIELDS_BYTES = 512 * 1024  # everything in the body but the file
MAX_PARTS = 16
READ_BYTES = 64 * 1024
HOW = f"Send multipart/form-data with one file in the field `{FIELD}`."
# Some encodings have a backslash as half of a character: at a name's end it would take the quote for its own.
LAST_BACKSLASH = re.compile(r'\\("[ \t]*(?:;|\r|\n|$))')


def read_form(read: Callable[[int], bytes], boundary: str, file: IO[bytes]) -> dict[str, str]:
    """The fields beside the file, which is written to `file`; `read(size)` gives the body's next bytes.

    The file's name is not looked at, nor its encoding. Raises UsageError and TooLargeError, ValueError for what is no
    form.
    """
    form = _Form(file)
    decoder = _Decoder(boundary.encode("latin-1"), max_form_memory_size=FIELDS_BYTES)
    try:
        while True:
            decoder.receive_data(read(READ_BYTES) or None)
            while not isinstance(event := decoder.next_event(), NeedData):
                if isinstance(event, Field | File):
                    form.begin(event)
                elif isinstance(event, Data):
                    form.add(event.data)
                elif isinstance(event, Epilogue):
                    return form.fields()
    except RequestEntityTooLarge as cause:
        raise _too_large() from cause


class _Decoder(MultipartDecoder):
    def _parse_headers(self, data: bytes | bytearray):
        return super()._parse_headers(LAST_BACKSLASH.sub(r"\1", data.decode("utf-8", "replace")).encode())


class _Form:
    """What was read so far."""

    def __init__(self, file: IO[bytes]):
        self._file = file
        self._files: list[File] = []
        self._fields: list[tuple[str, bytearray]] = []
        self._add: Callable[[bytes], object] = file.write

    def begin(self, part: Field | File) -> None:
        if len(self._files) + len(self._fields) == MAX_PARTS:
            raise UsageError(f"The form has too many fields: more than {MAX_PARTS}, the file among them. {HOW}")
        if isinstance(part, Field):
            value = bytearray()
            self._fields.append((part.name or "", value))
            self._add = value.extend
        elif self._files:
            raise UsageError(f"There is more than one file. {HOW}")
        else:
            self._files.append(part)
            self._add = self._file.write

    def add(self, data: bytes) -> None:
        self._add(data)
        if sum(len(value) for _, value in self._fields) > FIELDS_BYTES:
            raise _too_large()

    def fields(self) -> dict[str, str]:
        # A browser sends a part without name and content where no file was chosen.
        if not any(each.name == FIELD and (each.filename or self._file.tell()) for each in self._files):
            raise UsageError(f"There is no file. {HOW}")
        fields: dict[str, str] = {}
        for name, value in self._fields:
            if name in fields:
                raise UsageError(f"The field {name[:40]!r} is there more than once; send it once.")
            fields[name] = value.decode("utf-8", "replace")
        return fields


def _too_large() -> TooLargeError:
    return TooLargeError(f"The form's fields are larger than {FIELDS_BYTES >> 10} KiB, the limit for all but the file.")
