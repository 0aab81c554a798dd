import io
import json
import re

import pytest
from deepfake_client.report import words
from deepfake_contract.errors import UnavailableError, UsageError
from deepfake_web.app import create_app
from deepfake_web.settings import WebSettings


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_use_nothing_from_elsewhere(client, path):
    page = client.get(path)
    addresses = re.findall(r'(?:src|href|action)="([^"]+)"', page.text)
    assert addresses
    assert all(each.startswith(("/", "#", "data:,")) and not each.startswith("//") for each in addresses)
    for address in addresses:
        if address.startswith("/static"):
            assert client.get(address).status_code == 200


@pytest.mark.parametrize("path", ["/", "/predict", "/nowhere", "/static/0/style.css", "/health"])
def test_every_answer_forbids_what_it_does_not_need(client, path):
    headers = client.get(path).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_pages_hold_nothing_that_their_policy_forbids(client):
    page = client.get("/").text
    assert not re.search(r'<script(?![^>]*(?:src=|type="application/json"))|<style| style="| on\w+="', page)


def test_unknown_addresses_and_methods_are_problems(client):
    assert client.get("/nowhere").json["status"] == 404
    refused = client.get("/predict")
    assert (refused.status_code, refused.mimetype) == (405, "application/problem+json")
    assert "POST" in refused.headers["Allow"]


def test_a_browser_sees_a_problem_as_a_page(client):
    answer = client.post("/predict", data={}, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.mimetype) == (400, "text/html")
    assert "Send multipart/form-data" in answer.text


def test_config_has_the_limits_and_the_words_and_stands_in_the_page(client, settings):
    config = client.get("/config").json
    in_page = re.search(r'<script id="config" type="application/json">(.*?)</script>', client.get("/").text)[1]
    assert json.loads(in_page) == config
    assert config["limits"]["max_bytes"] == settings.max_bytes
    assert config["states"].keys() == words.STATES.keys()
    assert config["reasons"] == {reason: sentence for reason, (_, sentence) in words.REASONS.items()}


def test_health_says_what_is_missing_in_the_same_form(make_app, make_detector, client):
    well = client.get("/health")
    away = make_app(make_detector(UnavailableError("No Triton answers."))).test_client().get("/health")
    assert (well.status_code, well.json["status"], well.json["why"]) == (200, "ok", None)
    assert (away.status_code, away.json["status"], away.json["why"]) == (503, "unavailable", "No Triton answers.")
    assert well.json.keys() == away.json.keys()


def test_a_model_that_is_not_ready_makes_it_unavailable(make_app, make_detector):
    detector = make_detector()
    detector.readiness = lambda: {"swin": False, "convnext": True}
    answer = make_app(detector).test_client().get("/health/ready")
    assert answer.status_code == 503
    assert "swin" in answer.json["why"] and "convnext" not in answer.json["why"]


def test_live_needs_no_triton(make_app, make_detector):
    app = make_app(make_detector(UnavailableError("No Triton answers.")))
    assert app.test_client().get("/health/live").status_code == 200


def test_requests_and_verdicts_are_counted(client):
    client.post("/predict", data={})
    client.post("/predict", data={"file": (io.BytesIO(b"abc"), "a")})
    text = client.get("/metrics").text
    assert 'deepfake_requests_total{endpoint="predict.predict",status="400"} 1.0' in text
    assert 'deepfake_requests_total{endpoint="predict.predict",status="200"} 1.0' in text
    assert 'deepfake_verdicts_total{certainty="high",file_type="video",label="FAKE"} 1.0' in text
    assert "deepfake_analyses_running 0.0" in text


def test_a_wrong_setting_stops_the_start_with_a_sentence():
    with pytest.raises(UsageError, match="DEEPFAKE_MAX_ANALYSES must be above 0"):
        WebSettings.from_environment({"DEEPFAKE_MAX_ANALYSES": "0"})
    assert WebSettings.from_environment({"DEEPFAKE_MAX_WAITING": "0"}).max_waiting == 0


def test_an_application_without_a_triton_says_what_to_set(monkeypatch):
    monkeypatch.delenv("DEEPFAKE_TRITON", raising=False)
    with pytest.raises(UsageError, match="DEEPFAKE_TRITON"):
        create_app()
