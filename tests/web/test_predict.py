import io
import json
from pathlib import Path

import pytest
from deepfake_contract.errors import (
    BusyError,
    DamagedMediaError,
    DeadlineError,
    TooLargeError,
    UnavailableError,
    UnsupportedMediaError,
)


def form(content: bytes = b"abc", name: str = "clip.mp4", **fields: str) -> dict:
    return {"file": (io.BytesIO(content), name), **fields}


def ask(app, **options):
    return app.test_client().post("/predict", data=form(), **options)


def events_of(response) -> list[dict]:
    return [json.loads(line) for line in response.get_data(as_text=True).splitlines()]


@pytest.mark.parametrize("path", ["/predict", "/predict/video"])
def test_answer_is_the_result_as_json(client, path):
    answer = client.post(path, data=form())
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    assert list(answer.json)[:4] == ["file_type", "frames_processed", "confidence", "label"]
    assert answer.json["frames"][0]["faces"][0]["box"] == [1.0, 2.0, 3.0, 4.0]


def test_stream_ends_with_exactly_one_result(client):
    answer = client.post("/predict", data=form(), headers={"Accept": "application/x-ndjson"})
    assert answer.mimetype == "application/x-ndjson"
    events = events_of(answer)
    assert [event["event"] for event in events] == ["accepted", "frame", "progress", "result"]
    assert events[2] == {"event": "progress", "done": 1, "total": 1, "decoded": 1, "searched": 1}
    assert events[3]["label"] == "FAKE"


def test_stream_and_json_say_the_same(client):
    *_, last = events_of(client.post("/predict", data=form(), headers={"Accept": "application/x-ndjson"}))
    assert last.pop("event") == "result"
    assert last == client.post("/predict", data=form()).json


def test_form_post_of_a_browser_is_answered_with_a_page(client):
    answer = client.post("/predict", data=form(), headers={"Accept": "text/html,application/xml;q=0.9,*/*;q=0.8"})
    assert answer.mimetype == "text/html"
    assert "Strong sign of manipulation" in answer.text


def test_failure_within_a_stream_is_its_last_event(make_detector, make_app, uploads):
    detector = make_detector(UnavailableError("No Triton answers."), fail_at=2)
    events = events_of(ask(make_app(detector), headers={"Accept": "application/x-ndjson"}))
    assert [event["event"] for event in events] == ["accepted", "frame", "error"]
    assert (events[-1]["status"], events[-1]["detail"]) == (503, "No Triton answers.")
    assert uploads() == []


def test_failure_before_the_first_work_has_its_own_status_in_a_stream_too(make_detector, make_app):
    detector = make_detector(BusyError("Too much.", 7), fail_at=1)
    answer = ask(make_app(detector), headers={"Accept": "application/x-ndjson"})
    assert answer.status_code == 429
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["Retry-After"] == "7"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (TooLargeError, 413),
        (UnsupportedMediaError, 415),
        (DamagedMediaError, 422),
        (BusyError, 429),
        (UnavailableError, 503),
        (DeadlineError, 504),
    ],
)
def test_errors_are_problem_details(error, status, make_detector, make_app):
    answer = ask(make_app(make_detector(error("What to do."))))
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["title"] == error.title
    assert answer.json["detail"] == "What to do."
    assert answer.json["type"] == f"/docs#status-{status}"
    assert answer.json["instance"] == f"urn:uuid:{answer.headers['X-Request-ID']}"


def test_an_unforeseen_error_tells_nothing_of_itself_but_is_logged_under_its_number(caplog, make_detector, make_app):
    answer = ask(make_app(make_detector(RuntimeError("secret /etc/path"))))
    assert answer.status_code == 500
    assert "secret" not in answer.text and "Traceback" not in answer.text
    assert answer.headers["X-Request-ID"] in caplog.text and "secret /etc/path" in caplog.text


def test_request_log_has_the_number_and_no_forged_lines(client, caplog):
    caplog.set_level("INFO")
    answer = client.get("/nothing%0d%0aforged")
    (line,) = [record.getMessage() for record in caplog.records if record.name == "deepfake_web.requests"]
    assert answer.headers["X-Request-ID"] in line
    assert "\n" not in line and "\r" not in line


def test_a_video_posted_as_an_image_is_refused_with_the_right_address(client, detector):
    answer = client.post("/predict/image", data=form())
    assert answer.status_code == 415
    assert answer.json["detail"] == "The file's type is video, not image; post it to /predict/video."
    assert detector.closed.acquire(timeout=5)


def test_options_reach_the_detector(client, detector):
    assert client.post("/predict", data=form(frames="7", heatmaps="true")).status_code == 200
    assert client.post("/predict", data=form()).status_code == 200
    assert detector.calls == [(7, True), (None, False)]


@pytest.mark.parametrize(
    "fields", [{"frames": "0"}, {"frames": "257"}, {"frames": "x"}, {"frames": "²"}, {"heatmaps": "maybe"}, {"a": "b"}]
)
def test_a_bad_option_is_named(client, detector, fields):
    answer = client.post("/predict", data=form(**fields))
    assert answer.status_code == 400
    assert next(iter(fields)) in answer.json["detail"]
    assert detector.paths == []


@pytest.mark.parametrize("data", [{}, {"file": "text"}, {"other": (io.BytesIO(b"abc"), "a.mp4")}])
def test_no_file_is_400_and_says_how(client, data):
    answer = client.post("/predict", data=data, content_type="multipart/form-data; boundary=x" if not data else None)
    assert answer.status_code == 400
    assert "`file`" in answer.json["detail"]


def test_a_form_without_a_chosen_file_is_400(client):
    assert client.post("/predict", data={"file": (io.BytesIO(b""), "")}).status_code == 400


def test_an_empty_file_reaches_the_detector_which_knows_what_to_say(client, detector):
    client.post("/predict", data=form(b"", "empty.mp4"))
    assert detector.contents == [b""]


def test_two_files_are_refused(client, uploads):
    answer = client.post("/predict", data={"file": [(io.BytesIO(b"a"), "a"), (io.BytesIO(b"b"), "b")]})
    assert answer.status_code == 400
    assert uploads() == []


def test_a_body_that_is_no_form_is_400(client):
    answer = client.post("/predict", data=b"abc", content_type="video/mp4")
    assert answer.status_code == 400 and "'video/mp4'" in answer.json["detail"]


def test_a_form_cut_short_is_400(client, uploads):
    cut = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc'
    answer = client.post("/predict", data=cut, content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 400
    assert uploads() == []


@pytest.mark.parametrize("name", ["-i.mp4", "../../x.mp4", "a%0d%0ab.mp4", "/etc/passwd", "ä.mp4"])
def test_the_name_of_the_file_is_not_looked_at(client, detector, name):
    assert client.post("/predict", data=form(name=name)).status_code == 200
    assert detector.contents == [b"abc"]


def test_a_declared_length_over_the_limit_is_413_and_names_it(client):
    answer = client.post("/predict", data=form(b"x" * 2_000_000))
    assert answer.status_code == 413
    assert "0.953674 MiB" in answer.json["detail"]


def test_the_stored_upload_is_private_nameless_and_gone_after_the_answer(client, detector, settings, uploads):
    seen = []

    def look(_) -> bool:
        names = list(Path(settings.upload_folder).iterdir())
        seen.append((detector.paths[0].stat().st_mode & 0o777, len(uploads()), names))
        return True

    detector.gate.wait = look
    assert client.post("/predict", data=form()).status_code == 200
    assert seen == [(0o600, 1, [])]
    assert uploads() == []


def test_an_upload_is_stored_once(client, settings, monkeypatch):
    def spool(*_, **__):
        raise AssertionError("a second copy")

    monkeypatch.setattr("werkzeug.formparser.default_stream_factory", spool)
    assert client.post("/predict", data=form(b"x" * 900_000)).status_code == 200


def test_a_stream_that_is_never_read_still_gives_everything_back(app, detector, uploads):
    answer = app.test_client().post("/predict", data=form(), headers={"Accept": "application/x-ndjson"}, buffered=False)
    assert len(uploads()) == 1
    answer.close()
    assert uploads() == []
    assert detector.closed.acquire(timeout=5)
    assert app.extensions["deepfake"].admission.admitted == 0


def test_a_result_without_a_face_is_answered_as_such(make_detector, make_result, make_app):
    nothing = make_result(confidence=None, label="NO FACE", certainty=None, networks=None, contributions=None)
    answer = ask(make_app(make_detector(answer=nothing)))
    assert (answer.json["confidence"], answer.json["label"]) == (None, "NO FACE")
    page = ask(make_app(make_detector(answer=nothing)), headers={"Accept": "text/html"})
    assert "No face to analyse" in page.text


def test_low_certainty_is_shown_as_uncertain_with_its_reason(make_detector, make_result, make_app):
    unsure = make_result(certainty="low", reasons=["near_threshold"])
    page = ask(make_app(make_detector(answer=unsure)), headers={"Accept": "text/html"})
    assert "Uncertain" in page.text and "close to the threshold" in page.text
    assert "Strong sign" not in page.text
