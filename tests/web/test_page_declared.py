"""What a file declares stands beside the verdict, in the words that report and terminal have."""

import json

import pytest
from deepfake_client.media.facts import Credentials, Provenance, Said
from deepfake_client.media.provenance import declarations
from deepfake_client.results import to_dict
from playwright.sync_api import expect

CREDENTIALS = Credentials("unknown_signer", "A Photographer, Test Press", "A program", None, "known.pem", [])
SAID = [Said("generated", "c2pa", "A <b>painter</b>", "2026-05-01T12:00:00Z"), Said("origin", "tags", "A camera")]
DECLARED = declarations(SAID, CREDENTIALS)


@pytest.fixture
def shown(answering, new_page, make_result):
    """The page with a result of these declarations."""

    def show(declared, **changes):
        page = new_page("http://{}:{}".format(*answering))
        result = to_dict(make_result(provenance=Provenance({}, CREDENTIALS, declared), **changes))
        accepted = {"event": "accepted", "file_type": "video", "media": result["media"], "frames": 1}
        frames = [{"event": "frame", **frame} for frame in result["frames"]]
        lines = [accepted, *frames, {"event": "result", "report": "<p>The report</p>", **result}]
        body = "".join(json.dumps(line) + "\n" for line in lines)
        page.route("**/predict", lambda route: route.fulfill(body=body, content_type="application/x-ndjson"))
        page.locator("#file[multiple]").set_input_files({"name": "a.mp4", "mimeType": "video/mp4", "buffer": b"x"})
        expect(page.locator(".finding")).to_be_visible()
        return page

    return show


@pytest.mark.parametrize("width", [360, 1280])
def test_declarations_stand_within_the_verdict_below_the_likelihood(shown, width):
    page = shown(DECLARED, label="REAL", confidence=0.06)
    page.set_viewport_size({"width": width, "height": 900})
    told = page.locator(".verdict .declared")
    expect(told).to_have_text([each.sentence for each in DECLARED])
    likelihood = page.locator(".verdict").get_by_text("Likelihood of manipulation: 0.06")
    assert likelihood.bounding_box()["y"] < told.first.bounding_box()["y"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_declarations_there_is_no_such_line(shown):
    page = shown([])
    expect(page.locator(".verdict")).to_be_visible()
    expect(page.locator(".declared")).to_have_count(0)
