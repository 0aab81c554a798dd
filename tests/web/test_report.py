"""The report along with an answer: asked for by an option, whole whatever else is asked for."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from deepfake_client.report.html_report import html_report, report_css
from deepfake_client.report.row import Row
from deepfake_client.results import to_dict, without_pictures
from deepfake_web.predict_options import NAME_LENGTH

NDJSON = {"Accept": "application/x-ndjson"}
HTML = {"Accept": "text/html"}


@pytest.fixture
def full(make_result):
    """A result whose one face has a map, its frame a thumbnail."""
    (frame,) = make_result().frames
    (face,) = frame.faces
    seen = replace(face, heatmap=[[0.5, -0.5, 0.5, -0.5, 0.5, -0.5, 0.0]] * 7)
    return make_result(frames=[replace(frame, thumbnail="data:image/jpeg;base64,AAAA", faces=[seen])])


@pytest.fixture
def detector(make_detector, full):
    """One that gives pictures with its frame, too."""
    return make_detector(answer=full, frame=full.frames[0])


@pytest.fixture
def ask(make_app, detector):
    client = make_app(detector).test_client()

    def post(headers=None, **fields: str):
        return client.post("/predict", data={"file": (io.BytesIO(b"abc"), "x"), **fields}, headers=headers)

    return post


def plain(value) -> dict:
    return json.loads(json.dumps(to_dict(value)))


@pytest.mark.parametrize("asked", [{}, {"heatmaps": "true"}])
def test_the_report_is_the_one_that_a_scan_makes(ask, full, asked):
    answer = ask(report="true", name="a clip.mp4", **asked).json
    assert answer.pop("report") == html_report([Row(Path("a clip.mp4"), full)])
    assert answer == plain(full if asked else without_pictures(full)), "what is beside it is as without it"


@pytest.mark.parametrize("asked", [{}, {"heatmaps": "true"}])
def test_the_streams_result_has_it_and_its_frames_only_what_was_asked_for(ask, full, asked):
    events = [json.loads(line) for line in ask(NDJSON, report="true", **asked).text.splitlines()]
    assert [event.pop("event") for event in events] == ["accepted", "frame", "progress", "result"]
    assert events[3].pop("report") == html_report([Row(Path("Uploaded file"), full)])
    assert events[3] == plain(without_pictures(full))
    assert ("thumbnail" in events[1], "heatmap" in events[1]["faces"][0]) == (bool(asked), bool(asked))


def test_maps_are_made_for_it_though_only_it_carries_them(ask, detector):
    ask(report="true")
    ask()
    assert detector.calls == [(None, True), (None, False)]


def test_there_is_none_where_it_is_not_asked_for(ask):
    for answer in (ask(), ask(report="false"), ask(name="a")):
        assert answer.status_code == 200 and "report" not in answer.json


@pytest.mark.parametrize("name", ["<script>alert(1)</script>.mp4", '"><img src=x onerror=alert(1)>', "a\u202e4pm.mp4"])
def test_hostile_names_are_plain_text(ask, full, name):
    page = ask(report="true", name=name).json["report"]
    assert "<script" not in page and "<img" not in page and "\u202e" not in page
    assert page == html_report([Row(Path(name), full)])


@pytest.mark.parametrize(
    ("field", "value"), [("name", ""), ("name", "a" * (NAME_LENGTH + 1)), ("report", "yes"), ("report", "TrUe")]
)
def test_a_bad_option_is_named(ask, field, value):
    answer = ask(**{field: value})
    assert answer.status_code == 400 and field in answer.json["detail"]


def test_a_name_of_the_greatest_length_is_taken(ask):
    assert "a" * NAME_LENGTH in ask(report="true", name="a" * NAME_LENGTH).json["report"]


def test_a_form_is_answered_with_the_report_under_the_policy_of_the_page(ask):
    answer = ask(HTML, name="a clip.mp4")
    assert 'href="/report.css"' in answer.text and "What each network said" in answer.text
    assert "a clip.mp4" in answer.text
    assert "<style" not in answer.text and " style=" not in answer.text
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
    assert "Content-Disposition" not in answer.headers


def test_the_styles_are_those_of_the_report(client):
    answer = client.get("/report.css")
    assert (answer.status_code, answer.mimetype, answer.text) == (200, "text/css", report_css())
