"""Results that were saved are read back as they were; what is none is refused by its field."""

import base64
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from deepfake_client.media.facts import NO_CREDENTIALS, Said
from deepfake_client.media.provenance import declarations
from deepfake_client.report.html_report import html_report
from deepfake_client.report.row import Row
from deepfake_client.report.saved_results import read_rows
from deepfake_client.results import Result, to_dict
from deepfake_contract.errors import UsageError
from PIL import Image


@pytest.fixture
def full(fake) -> Result:
    """A result whose one face has a map, its frame a thumbnail."""
    data = io.BytesIO()
    Image.new("RGB", (64, 48)).save(data, "JPEG")
    (frame,) = fake.frames
    thumbnail = "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()
    seen = [replace(face, heatmap=[[0.5, -0.5, 0.5, -0.5, 0.5, -0.5, 0.0]] * 7) for face in frame.faces]
    return replace(fake, frames=[replace(frame, thumbnail=thumbnail, faces=seen)])


@pytest.fixture
def saved(tmp_path):
    """Writes text, bytes or values as JSON, one a line, to a file; gives the rows that are read."""

    def read(*contents) -> list[Row]:
        written = [each if isinstance(each, (str, bytes)) else json.dumps(each) for each in contents]
        lines = [each.encode() if isinstance(each, str) else each for each in written]
        (tmp_path / "saved.json").write_bytes(b"\n".join(lines))
        return list(read_rows(tmp_path / "saved.json"))

    return read


def changed(result: Result, path: str, value) -> dict:
    """The result as JSON in which one field, by the path to it, has another value."""
    whole = json.loads(json.dumps(to_dict(result)))
    *way, last = (int(each) if each.isdigit() else each for each in path.split("."))
    part = whole
    for each in way:
        part = part[each]
    part[last] = value
    return whole


def test_a_result_comes_back_as_it_was_however_it_is_laid_out(saved, full):
    compact, spread = json.dumps(to_dict(full)), json.dumps(to_dict(full), indent=1)
    for text in (compact, spread, f"{compact}\n", f"\n\n{spread}"):
        assert saved(text) == [Row(Path("saved.json"), full)]


def test_a_result_that_version_0_1_0_saved_is_read(saved, full):
    """It named no titles, and a frame's deciding face only by its confidence."""
    old = json.loads(json.dumps(to_dict(full)))
    del old["model"]["titles"]
    for frame in old["frames"]:
        del frame["deciding"]
    (row,) = saved(old)
    assert row.result == replace(full, model=replace(full.model, titles=full.model.architectures))


def test_a_result_that_was_saved_before_declarations_were_read_has_none(saved, full):
    old = json.loads(json.dumps(to_dict(full)))
    del old["provenance"]["declared"]
    assert saved(old) == [Row(Path("saved.json"), full)]
    assert full.provenance.declared == []


def test_declarations_come_back_as_they_were(saved, full):
    said = declarations([Said("generated", "iptc"), Said("origin", "tags", "A camera", "2026-05-01")], NO_CREDENTIALS)
    declaring = replace(full, provenance=replace(full.provenance, declared=said))
    assert saved(to_dict(declaring)) == [Row(Path("saved.json"), declaring)]
    with pytest.raises(UsageError, match=r"declared\[0\]\.signature"):
        saved(changed(declaring, "provenance.declared.0.signature", "perfect"))


def test_what_stands_beside_a_result_is_passed_over(saved, full):
    beside = {"event": "result", "report": "<html>", **to_dict(full), "more": [1, {"a": None}]}
    assert saved(beside) == [Row(Path("saved.json"), full)]


def test_lines_of_a_scan_are_called_as_their_files_failures_included(saved, full, fake):
    failed = {"path": "b.mp4", "error": {"title": "x", "status": 422, "detail": "It has no frames."}}
    first, second, third = saved({"path": "a.mp4", **to_dict(full)}, failed, "", {"path": "c.mp4", **to_dict(fake)})
    assert [first, third] == [Row(Path("a.mp4"), full), Row(Path("c.mp4"), fake)]
    assert (second.path, second.result, str(second.error)) == (Path("b.mp4"), None, "It has no frames.")


def test_a_result_without_a_face_is_read(saved, fake, frames):
    nothing = replace(
        fake, label="NO FACE", confidence=None, certainty=None, networks=None, contributions=None, frames=frames([])
    )
    assert saved(to_dict(nothing)) == [Row(Path("saved.json"), nothing)]


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("confidence", "0.9", "`$.confidence`"),
        ("label", "MAYBE", "`$.label`"),
        ("media.width", 0, "$.media.width"),
        ("media.bytes", 10**400, "$.media.bytes"),
        ("media.duration_s", -1, "$.media.duration_s"),
        ("frames.0.faces.0.box", [1, 2, 3], "`$.frames[0].faces[0].box`"),
        ("frames.0.faces.0.crop", [1, 2, -3, 4], "`$.frames[0].faces[0].crop[2]`"),
        ("frames.0.faces.0.heatmap", [[0.0] * 7] * 6, "`$.frames[0].faces[0].heatmap`"),
        ("frames.0.faces.0.heatmap", [[0.0] * 6] * 7, "`$.frames[0].faces[0].heatmap[0]`"),
        ("frames.0.faces.0.heatmap", [["x"] * 7] * 7, "`$.frames[0].faces[0].heatmap[0][0]`"),
        ("frames.0.faces.0.confidence", 1.5, "`$.frames[0].faces[0].confidence`"),
        ("frames.0.confidence", None, "`$.frames[0]`"),
        ("frames.0.deciding", None, "`$.frames[0]`"),
        ("frames.0.deciding", 1, "`$.frames[0]`"),
        ("frames.0.deciding", -1, "`$.frames[0].deciding`"),
        ("frames.0.faces", [], "`$.frames[0]`"),
        ("frames.0.time_s", -1, "`$.frames[0].time_s`"),
        ("frames.0.thumbnail", "https://example.org/a.jpg", "`$.frames[0].thumbnail`"),
        ("frames.0.thumbnail", "data:image/svg+xml;base64,AAAA", "`$.frames[0].thumbnail`"),
        ("frames.0.thumbnail", 'data:image/jpeg;base64,AA"onload="x', "`$.frames[0].thumbnail`"),
        ("confidence", None, "`$.confidence`"),
        ("certainty", None, "`$.certainty`"),
        ("threshold", 2, "`$.threshold`"),
        ("networks.first", -0.1, "`$.networks[...]`"),
        ("provenance.credentials.state", "perfect", "`$.provenance.credentials.state`"),
    ],
)
def test_what_is_no_result_is_refused_by_its_field(saved, full, path, value, named):
    with pytest.raises(UsageError) as refusal:
        saved({"path": "good.mp4", **to_dict(full)}, changed(full, path, value))
    assert "saved.json, line 2 is no result: " in str(refusal.value) and named in str(refusal.value)
    assert "analyse the file again" in str(refusal.value)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize("field", ["confidence", "contributions.intercept"])
def test_numbers_that_are_not_finite_are_refused(saved, full, field, number):
    with pytest.raises(UsageError):
        saved(json.dumps(changed(full, field, "here")).replace('"here"', number))


@pytest.mark.parametrize(
    "content", [b"", b"\n \n", b"{", b"[]", b"7", b"{}", b"\xff", b'{"path": 7}', b"<html>", b"[" * 100_000]
)
def test_what_holds_no_result_is_refused_with_its_name_and_a_cure(saved, content):
    with pytest.raises(UsageError, match=r"saved\.json.* `deepfake scan --json`"):
        saved(content)


def test_a_result_with_something_deep_beside_it_is_refused_or_read(saved, full):
    deep = json.dumps(to_dict(full))[:-1] + ', "more": ' + "[" * 100_000 + "]" * 100_000 + "}"
    with pytest.raises(UsageError):
        saved(deep)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"nothing\.json can't be read: No such file"):
        list(read_rows(tmp_path / "nothing.json"))


@pytest.mark.parametrize("value", [1e308, 5e-324, 0.0])
def test_maps_and_contributions_of_any_size_are_drawn(saved, full, value):
    whole = changed(full, "frames.0.faces.0.heatmap", [[value, -value, value, -value, value, -value, 0.0]] * 7)
    whole["contributions"] = {"first": value, "second": value, "intercept": -value}
    whole["frames"][0]["time_s"] = abs(value)
    page = html_report(saved(whole))
    assert not any(each in page for each in ("nan%", "inf%"))
