"""Static files under addresses that change with their content, and text that is compressed."""

import gzip
import io
import json
import re

import pytest
from deepfake_web.assets import FOLDER, Assets

GZIP = {"Accept-Encoding": "gzip, deflate, br"}


def named(client, path="/"):
    return list(dict.fromkeys(re.findall(r'"(/static/[^"]+)"', client.get(path).text)))


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_what_a_page_names_is_kept_for_good(client, path):
    addresses = named(client, path)
    assert len(addresses) > 3
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200 and answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.data == (FOLDER / address.split("/", 3)[3]).read_bytes()


def test_pages_and_answers_are_not_kept(client):
    for path in ("/", "/docs", "/config", "/report.css", "/static/0/nothing.js"):
        assert client.get(path).headers["Cache-Control"] == "no-store"


def test_addresses_change_with_the_content_of_any_file(tmp_path):
    (tmp_path / "a.js").write_text("one")
    (tmp_path / "b.js").write_text("two")
    before = Assets(tmp_path).version
    assert Assets(tmp_path).version == before
    (tmp_path / "b.js").write_text("three")
    assert Assets(tmp_path).version != before


def test_the_address_of_another_version_is_answered_but_not_kept(client):
    """A page that is open while the detector is replaced asks for what the new one has, under the old one's address."""
    answer = client.get("/static/0123456789abcdef/page.js")
    assert answer.data == (FOLDER / "page.js").read_bytes()
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["../app.py", "..%2fapp.py", "samples", "", "style.css/", "samples/../../app.py"])
def test_nothing_else_is_served(client, name):
    assert client.get(f"/static/0/{name}").status_code == 404


@pytest.mark.parametrize("path", ["/", "/docs", "/config", "/openapi.json", "/report.css", "a script", "a style"])
def test_text_is_compressed_for_those_who_take_it(client, path):
    path = {"a script": "page.js", "a style": "style.css"}.get(path, path)
    path = next((each for each in named(client) if each.endswith(path)), path) if path != "/" else path
    plain, small = client.get(path), client.get(path, headers=GZIP)
    assert small.headers["Content-Encoding"] == "gzip" and small.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(small.data) == plain.data and int(small.headers["Content-Length"]) == len(small.data)
    assert len(small.data) < len(plain.data) / 2
    assert "Content-Encoding" not in plain.headers and plain.headers["Vary"] == "Accept-Encoding"
    assert small.headers.get("Content-Type") == plain.headers["Content-Type"]


@pytest.mark.parametrize("wish", ["identity", "br", "gzip;q=0", "gzip;q=0, br"])
def test_who_does_not_take_it_gets_it_plain(client, wish):
    for path in ("/", named(client)[0]):
        assert "Content-Encoding" not in client.get(path, headers={"Accept-Encoding": wish}).headers


def test_pictures_and_small_answers_go_as_they_are(client):
    samples = [each for each in named(client) if "/samples/" in each]
    for path in [*samples, "/health/live"]:
        assert "Content-Encoding" not in client.get(path, headers=GZIP).headers


def test_a_stream_goes_out_line_by_line(client):
    headers = {"Accept": "application/x-ndjson", **GZIP}
    answer = client.post("/predict", data={"file": (io.BytesIO(b"abc"), "a")}, headers=headers)
    assert "Content-Encoding" not in answer.headers
    assert [json.loads(line)["event"] for line in answer.text.splitlines()][-1] == "result"


def test_modules_are_named_in_the_order_in_which_they_are_needed(tmp_path):
    (tmp_path / "a.js").write_text(
        'import { b } from "./b.js";\nconst later = import("./d.js");\nimport { c } from "./c.js";'
    )
    (tmp_path / "b.js").write_text('export { c } from "./c.js";')
    (tmp_path / "c.js").write_text("export const c = 1;")
    (tmp_path / "d.js").write_text('import { e } from "./e.js"; import { c } from "./c.js";')
    (tmp_path / "e.js").write_text('import("./a.js");')
    assert Assets(tmp_path).modules("a.js") == ["b.js", "c.js", "d.js", "e.js"]


def test_what_checks_the_page_is_locked_and_comes_from_whatever_registry_is_set():
    lock = json.loads((FOLDER.parents[2] / "package-lock.json").read_text())
    packages = [each for name, each in lock["packages"].items() if name]
    assert packages and all("integrity" in each and "resolved" not in each for each in packages)
    assert "://" not in (FOLDER.parents[2] / ".npmrc").read_text()
