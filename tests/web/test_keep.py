"""POST /report: what people keep of a result, and what is refused."""

import base64
import csv
import http.client
import io
import json
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest
from deepfake_client.cli.output import Row
from deepfake_client.report.frames_csv import frames_csv
from deepfake_client.report.html_report import html_report, report_css
from deepfake_client.results import to_dict
from deepfake_web import keep
from deepfake_web.handed_back import NAME_LENGTH
from PIL import Image

HTML, CSV = "text/html", "text/csv"


@pytest.fixture
def full(make_result):
    """A result whose one face has a map, its frame a thumbnail."""
    data = io.BytesIO()
    Image.new("RGB", (64, 48)).save(data, "JPEG")
    (frame,) = make_result().frames
    (face,) = frame.faces
    thumbnail = "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()
    return make_result(
        frames=[replace(frame, thumbnail=thumbnail, faces=[replace(face, heatmap=[[0.5, -0.5] * 3 + [0]] * 7)])]
    )


@pytest.fixture
def ask(client):
    def post(body, accept=HTML, **options):
        return client.post("/report", headers={"Accept": accept}, **{"json": body} | options)

    return post


def changed(result, path: str, value) -> dict:
    """The body for a result in which one field, by the path to it, has another value."""
    body = json.loads(json.dumps({"name": "a.mp4", "result": to_dict(result)}))
    *way, last = (int(each) if each.isdigit() else each for each in path.split("."))
    part = body["result"]
    for each in way:
        part = part[each]
    part[last] = value
    return body


def test_the_report_is_the_one_that_a_scan_makes(ask, full):
    answer = ask({"name": "a clip.mp4", "result": to_dict(full)})
    assert (answer.status_code, answer.mimetype) == (200, HTML)
    assert answer.text == html_report([Row(Path("a clip.mp4"), full)])
    assert answer.headers["Content-Disposition"] == "attachment; filename=deepfake-report.html"


def test_the_frames_are_a_table(ask, full):
    answer = ask({"name": "=1+1", "result": to_dict(full)}, accept=CSV)
    assert (answer.status_code, answer.mimetype) == (200, CSV)
    assert answer.text == frames_csv("=1+1", full)
    assert next(csv.DictReader(io.StringIO(answer.text)))["file"] == "'=1+1"
    assert answer.headers["Content-Disposition"] == "attachment; filename=deepfake-frames.csv"


@pytest.mark.parametrize("accept", ["*/*", "", "application/pdf"])
def test_the_report_is_what_is_given_where_neither_is_asked_for(ask, full, accept):
    assert ask({"name": "a", "result": to_dict(full)}, accept).mimetype == HTML


def test_a_result_of_a_stream_is_taken_with_its_event(ask, full):
    assert ask({"name": "a", "result": {"event": "result", **to_dict(full)}}).status_code == 200


def test_a_result_without_a_face_is_taken(ask, make_result):
    frame = make_result().frames[0]
    nothing = make_result(
        label="NO FACE", confidence=None, certainty=None, networks=None, contributions=None, tracks=[],
        frames=[replace(frame, confidence=None, faces=[])],
    )  # fmt: skip
    assert "No face to analyse" in ask({"name": "a", "result": to_dict(nothing)}).text


@pytest.mark.parametrize("name", ["<script>alert(1)</script>.mp4", '"><img src=x onerror=alert(1)>', "a\u202e4pm.mp4"])
def test_hostile_names_are_plain_text(ask, full, name):
    page = ask({"name": name, "result": to_dict(full)}).text
    assert "<script" not in page and "<img" not in page and "\u202e" not in page
    assert page == html_report([Row(Path(name), full)])


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("confidence", "0.9", "$.result.confidence"),
        ("label", "MAYBE", "$.result.label"),
        ("media.width", 0, "result.media"),
        ("media.duration_s", -1, "duration_s"),
        ("frames.0.faces.0.box", [1, 2, 3], "$.result.frames[0].faces[0].box"),
        ("frames.0.faces.0.crop", [1, 2, -3, 4], "frames[0]"),
        ("frames.0.faces.0.heatmap", [[0.0] * 7] * 6, "heatmap"),
        ("frames.0.faces.0.heatmap", [[0.0] * 6] * 7, "heatmap"),
        ("frames.0.faces.0.heatmap", [["x"] * 7] * 7, "heatmap"),
        ("frames.0.faces.0.confidence", 1.5, "frames[0]"),
        ("frames.0.confidence", None, "frames[0]"),
        ("frames.0.time_s", -1, "time_s"),
        ("frames.0.thumbnail", "https://example.org/a.jpg", "thumbnail"),
        ("frames.0.thumbnail", "data:image/svg+xml;base64,AAAA", "thumbnail"),
        ("frames.0.thumbnail", 'data:image/jpeg;base64,AA"onload="x', "thumbnail"),
        ("frames", [], None),
        ("confidence", None, "confidence"),
        ("certainty", None, "certainty"),
        ("threshold", 2, "probability"),
        ("networks.swin", -0.1, "probability"),
        ("provenance.credentials.state", "perfect", "$.result.provenance.credentials.state"),
    ],
)
def test_what_is_no_result_is_refused_by_its_field(ask, full, path, value, named):
    answer = ask(changed(full, path, value), accept=CSV)
    if named is None:
        assert answer.status_code == 200
        return
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert named in answer.json["detail"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize("field", ["confidence", "threshold"])
def test_numbers_that_are_not_finite_are_refused(ask, full, field, number):
    text = json.dumps(changed(full, field, "here")).replace('"here"', number)
    assert ask(None, json=None, data=text, content_type="application/json").status_code == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"name": "a"}', b"\xff", b'{"name": "a", "result": {}}'])
def test_what_is_no_request_is_refused(ask, body):
    assert ask(None, accept=CSV, json=None, data=body, content_type="application/json").status_code == 400


def test_json_must_be_declared(ask, full):
    text = json.dumps({"name": "a", "result": to_dict(full)})
    answer = ask(None, accept=CSV, json=None, data=text, content_type="text/plain")
    assert answer.status_code == 400 and "application/json" in answer.json["detail"]


@pytest.mark.parametrize("name", ["", "a" * (NAME_LENGTH + 1)])
def test_a_name_has_a_length(ask, full, name):
    assert ask({"name": name, "result": to_dict(full)}).status_code == 400


def test_more_frames_than_are_analysed_are_refused(ask, full, settings):
    body = changed(full, "frames", to_dict(full)["frames"] * (settings.max_frames + 1))
    assert ask(body).status_code == 400


@pytest.mark.parametrize("value", [1e308, 5e-324, 0.0])
def test_maps_and_contributions_of_any_size_are_drawn(ask, full, value):
    body = changed(full, "frames.0.faces.0.heatmap", [[value, -value] * 3 + [0.0]] * 7)
    body["result"]["contributions"] = {"swin": value, "convnext": value, "intercept": -value}
    body["result"]["frames"][0]["time_s"] = abs(value)
    answer = ask(body)
    assert answer.status_code == 200 and not any(each in answer.text for each in ("nan%", "inf%"))


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_413_with_and_without_a_length(serve, chunked):
    body = b" " * (keep.MAX_REPORT_BYTES + 1)
    pieces = (body[at : at + 1_000_000] for at in range(0, len(body), 1_000_000))
    with serve() as address:
        connection = http.client.HTTPConnection(*address, timeout=30)
        connection.request("POST", "/report", pieces if chunked else body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert answer.status == 413 and "4 MiB" in json.load(answer)["detail"]


def test_a_chunked_result_is_read_whole(serve, full):
    body = json.dumps({"name": "a", "result": to_dict(full)}).encode()
    with serve() as address:
        connection = http.client.HTTPConnection(*address, timeout=30)
        pieces = (body[at : at + 100] for at in range(0, len(body), 100))
        connection.request("POST", "/report", pieces, {"Content-Type": "application/json", "Accept": CSV})
        answer = connection.getresponse()
        assert answer.status == 200 and answer.read().decode() == frames_csv("a", full)


def test_the_styles_are_those_of_the_report(client):
    answer = client.get("/report.css")
    assert (answer.status_code, answer.mimetype, answer.text) == (200, "text/css", report_css())


def test_a_form_is_answered_with_the_report_under_the_policy_of_the_page(client):
    answer = client.post("/predict", data={"file": (io.BytesIO(b"abc"), "a.mp4")}, headers={"Accept": HTML})
    assert 'href="/report.css"' in answer.text and "What each network said" in answer.text
    assert "<style" not in answer.text and " style=" not in answer.text
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
    assert "Content-Disposition" not in answer.headers


def test_more_results_at_once_than_are_taken_are_told_to_wait(serve):
    head = b"POST /report HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    with serve() as address:
        slow = [socket.create_connection(address, timeout=30) for _ in range(keep.AT_ONCE)]
        for connection in slow:
            connection.sendall(head)
        deadline = time.monotonic() + 20
        while (status := ask_once(address).status) != 429:
            assert status == 400 and time.monotonic() < deadline
        for connection in slow:
            connection.close()
        while ask_once(address).status == 429:
            assert time.monotonic() < deadline


def ask_once(address) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(*address, timeout=30)
    connection.request("POST", "/report", b"{}", {"Content-Type": "application/json"})
    return connection.getresponse()
