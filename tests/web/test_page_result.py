"""What the page makes of a result: how many networks it has and what they are called, which face decides, the table."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from deepfake_client.report.html_report import html_report
from deepfake_client.report.plain_text import plain, spreadsheet_safe
from deepfake_client.report.row import Row
from deepfake_client.results import to_dict
from playwright.sync_api import expect

TITLES = {"a": "Alpha", "b": "Beta"}
NAMES = ["clip.mp4", "=1+1", "+1", "-1", "@a", "＝1", "\t=1", "\r1", " =1", "a,b", "a'b", 'a"b', '=a,"b"']
NAMES += ["a\u202eb\x07\n"]


@pytest.fixture
def page(answering, new_page):
    return new_page("http://{}:{}".format(*answering))


@pytest.fixture
def result(make_result):
    """Two networks that contradict each other; of three faces the second decides, a frame without a face follows."""

    def face(track, confidence, x):
        place = {"box": [x, 1, 8, 9], "crop": [x, 0, 16, 16]}
        networks = {"b": confidence, "a": 0.25}
        return {"track": track, "score": 0.5, "confidence": confidence, "networks": networks, "cut": x == 0} | place

    first = {"index": 0, "time_s": 0, "confidence": 0.75, "deciding": 1}
    first |= {"faces": [face(1, 0.75, 0), face(2, 0.75, 16), face(3, 0.75, 32)]}
    second = {"index": 12, "time_s": 0.5, "confidence": None, "deciding": None, "faces": []}
    known = to_dict(make_result())
    model = known["model"] | {"titles": TITLES, "architectures": {"a": "net_of_a", "b": "net_of_b"}}
    said = {"networks": {"b": 0.75, "a": 0.25}, "contributions": {"b": 1.5, "a": -0.5, "intercept": 0.25}}
    return known | said | {"model": model, "frames": [first, second]}


@pytest.fixture
def shown(page, result):
    """The page with that result."""
    accepted = {"event": "accepted", "file_type": "video", "media": result["media"], "frames": 2}
    frames = [{"event": "frame", **frame} for frame in result["frames"]]
    lines = [accepted, *frames, {"event": "result", "report": "<p>The report</p>", **result}]
    body = "".join(json.dumps(line) + "\n" for line in lines)
    page.route("**/predict", lambda route: route.fulfill(body=body, content_type="application/x-ndjson"))
    page.locator("#file[multiple]").set_input_files({"name": "a.mp4", "mimeType": "video/mp4", "buffer": b"x"})
    expect(page.locator(".finding")).to_be_visible()
    return page


def table_of(page, name, result):
    text = page.evaluate(
        """async ([name, result]) => {
          const address = new URL("csv.js", document.querySelector("script[type=module]").src);
          return (await import(address)).framesCsv(name, result);
        }""",
        [name, result],
    )
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_networks_are_called_by_their_titles_however_many_they_are(shown):
    rows = shown.locator(".said tbody th").all_inner_texts()
    assert [row.split() for row in rows[:2]] == [["Beta", "net_of_b"], ["Alpha", "net_of_a"]] and len(rows) == 3
    expect(shown.locator(".said")).to_contain_text("Beta leans toward FAKE")
    expect(shown.locator(".said")).to_contain_text("Alpha leans toward REAL")
    expect(shown.locator(".faces li").first).to_contain_text("Beta 0.75, Alpha 0.25")
    expect(shown.locator(".finding")).not_to_contain_text("three")


def test_the_timeline_goes_from_the_clips_start_to_its_end_as_in_the_report(shown):
    assert shown.locator(".axis span").all_inner_texts() == ["0.00 s", "1.00 s"]
    shown.get_by_role("slider", name="Frame of the clip").press("End")
    assert shown.locator(".cursor").evaluate("cursor => cursor.style.left") == "50%"  # the last frame, at 0.5 s


def test_the_page_calls_facts_what_the_report_calls_them(shown, make_result):
    report = html_report([Row(Path("a.mp4"), make_result())])
    facts = set(shown.locator(".about dt").all_inner_texts())
    assert len(facts) > 10 and not facts - set(re.findall(r"<dt>(?:<bdi>)?([^<]+)<", report))


def test_the_face_that_decides_is_the_one_that_the_result_names(shown):
    close_up = shown.get_by_role("img", name="The face that decides")
    expect(close_up).to_have_attribute("viewBox", "16 0 16 16")
    shown.get_by_role("button", name="Next frame").click()
    expect(close_up).to_have_count(0)


def test_the_report_is_saved_as_it_came(shown, tmp_path):
    with shown.expect_download() as download:
        shown.get_by_role("button", name="Save report").click()
    download.value.save_as(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text() == "<p>The report</p>"


def test_the_report_is_asked_for_under_the_name_of_the_file(page):
    page.evaluate("() => { XMLHttpRequest.prototype.send = (form) => { window.sent = Object.fromEntries(form); }; }")
    page.locator("#file[multiple]").set_input_files({"name": "a b.mp4", "mimeType": "video/mp4", "buffer": b"x"})
    page.wait_for_function("() => window.sent")
    sent = page.evaluate("({ ...sent, file: sent.file.name })")
    assert sent == {"heatmaps": "true", "report": "true", "name": "a b.mp4", "file": "a b.mp4"}


def test_the_table_has_a_line_for_each_face_and_one_for_a_frame_without(page, result):
    rows = table_of(page, "a.mp4", result)
    columns = "file index time_s confidence track x y width height cut face_confidence b a"
    assert list(rows[0]) == columns.split()
    assert [row["track"] for row in rows] == ["1", "2", "3", ""]
    values = "a.mp4 0 0 0.75 2 16 1 8 9 false 0.75 0.75 0.25"
    assert list(rows[1].values()) == values.split()
    assert list(rows[3].values()) == ["a.mp4", "12", "0.5", *[""] * 10]


def test_a_table_without_any_face_has_the_same_columns(page, result):
    nothing = result | {"networks": None, "contributions": None, "frames": result["frames"][1:]}
    (row,) = table_of(page, "a.mp4", nothing)
    assert list(row)[-3:] == ["face_confidence", "a", "b"] and row["confidence"] == ""


def test_no_name_becomes_a_formula_or_breaks_a_line(page, result):
    for name in NAMES:
        assert {row["file"] for row in table_of(page, name, result)} == {spreadsheet_safe(plain(name))}
