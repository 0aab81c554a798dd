"""Zip files of a bounded size, filled one after the other."""

import zipfile
from pathlib import Path

from deepfake_contract.errors import UsageError

# Of a zip file's own bytes: 30 and the name before each file, 46 and the name in the list at its end, 22 for the end.
FILE_BYTES, END_BYTES = 30 + 46, 22
WRITTEN = (1980, 1, 1, 0, 0, 0)  # the same pictures give the same bytes


class Parts:
    """Pictures stored, not deflated, in `folder`/pictures-00.zip and so on, each of at most `limit` bytes."""

    def __init__(self, folder: Path, limit: int):
        self.folder, self.limit = folder, limit
        self.paths: list[Path] = []
        self._zip: zipfile.ZipFile | None = None
        self._bytes = self._files = 0

    def add(self, data: bytes, suffix: str, name: str) -> tuple[str, str]:
        """The part that the picture went into, and its file in it; `name` is for the UsageError if it fits no part."""
        file = f"{self._files:06d}{suffix}"
        size = len(data) + 2 * len(file) + FILE_BYTES
        if size + END_BYTES > self.limit:
            raise UsageError(f"{name} takes {len(data)} bytes, more than a part's {self.limit}: raise --part-mb.")
        if self._zip is None or self._bytes + size > self.limit:
            self.close()
            self.paths.append(self.folder / f"pictures-{len(self.paths):02d}.zip")
            self._zip, self._bytes = zipfile.ZipFile(self.paths[-1], "w", zipfile.ZIP_STORED), END_BYTES
        self._zip.writestr(zipfile.ZipInfo(file, WRITTEN), data)
        self._bytes += size
        self._files += 1
        return self.paths[-1].name, file

    def close(self) -> None:
        """Finishes the last part."""
        if self._zip is not None:
            self._zip.close()
            self._zip = None
