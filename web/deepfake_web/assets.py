"""Static files, read once, under addresses that change with their content: a browser fetches each a single time."""

import hashlib
import mimetypes
import re
from pathlib import Path

from flask import Flask, Response, abort

from deepfake_web.compression import ENCODING, is_taken, is_text, packed

FOLDER = Path(__file__).parent / "static"
FOR_GOOD = "public, max-age=31536000, immutable"  # RFC 8246
KINDS = {".js": "text/javascript", ".css": "text/css"}  # what the system's table says of these varies
IMPORT, LATER = (re.compile(rf'{word}\s*"\./([\w-]+\.js)"') for word in (r"\bfrom", r"\bimport\("))


class Assets:
    """The files below a folder. Modules name each other by relative addresses, so all share one version."""

    def __init__(self, folder: Path):
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        self._files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        self._packed = {name: packed(content, 9) for name, content in self._files.items() if is_text(kind_of(name))}
        digest = hashlib.sha256()
        for name, content in self._files.items():
            digest.update(f"{name} {len(content)} ".encode() + content)
        self.version = digest.hexdigest()[:16]

    def answer(self, version: str, filename: str) -> Response:
        """The file; not to be kept under another version's address, as of a page older than the server."""
        if filename not in self._files:
            abort(404)
        response = Response(self._files[filename], mimetype=kind_of(filename))
        response.headers["Content-Security-Policy"] = "default-src 'none'"  # a page's own counts; short, for many files
        if version == self.version:
            response.headers["Cache-Control"] = FOR_GOOD
        if filename in self._packed:
            response.vary.add("Accept-Encoding")
            if is_taken():
                response.set_data(self._packed[filename])
                response.headers["Content-Encoding"] = ENCODING
        return response

    def modules(self, entry: str) -> list[str]:
        """All that a module imports, and what that imports: what it begins with, then what it fetches later."""
        return self._closure(entry, [])[1:]

    def _closure(self, entry: str, known: list[str]) -> list[str]:
        found = [entry]
        for name in found:  # grows while it is walked
            found += [each for each in self._named(IMPORT, name) if each not in known + found]
        for later in [each for name in found for each in self._named(LATER, name)]:
            found += self._closure(later, known + found) if later not in known + found else []
        return found

    def _named(self, how: re.Pattern[str], name: str) -> list[str]:
        return how.findall(self._files[name].decode())


def kind_of(name: str) -> str:
    """A media type by a file's suffix."""
    return KINDS.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def register(app: Flask) -> None:
    """As the endpoint `static`; in templates `modules_of` names what to fetch along with a module."""
    assets = Assets(FOLDER)

    def add_version(endpoint: str, values: dict[str, str]) -> None:
        if endpoint == "static":
            values.setdefault("version", assets.version)

    app.add_url_rule("/static/<version>/<path:filename>", "static", assets.answer)
    app.url_defaults(add_version)
    app.add_template_global(assets.modules, "modules_of")
