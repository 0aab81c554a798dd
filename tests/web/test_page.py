"""The upload page in a real browser, against the real thing."""

import re

import pytest
from playwright.sync_api import expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
ANSWER_MS = 120_000


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        # Chromium's own sandbox needs user namespaces, which containers often lack.
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, served):
    """The upload page; fails afterwards if the browser complained, of its content policy or of an error."""
    complaints = []
    page = browser.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(served.address)
    yield page
    page.close()
    assert [each for each in complaints if "responded with a status of 4" not in each] == []


def test_a_clip_is_uploaded_followed_and_shown_with_its_faces(page, clip):
    page.get_by_label("Choose a picture or a video").set_input_files(clip)
    page.get_by_role("button", name="Analyse").click()
    expect(page.get_by_role("heading", name=re.compile("sign of manipulation|Uncertain"))).to_be_visible(
        timeout=ANSWER_MS
    )
    expect(page.get_by_text("Likelihood of manipulation")).to_be_visible()
    frames = page.get_by_role("img", name=re.compile(r"Frame at [\d.]+ s, faces: 1"))
    assert frames.count() > 4
    frame, face = frames.first.bounding_box(), frames.first.locator("rect").bounding_box()
    assert frame["x"] <= face["x"] and face["x"] + face["width"] <= frame["x"] + frame["width"] + 1
    assert 0.1 < face["width"] / frame["width"] < 0.6
    assert page.get_by_role("row").count() == 4


def test_a_refused_file_is_told_in_words(page, tmp_path):
    (tmp_path / "words.mp4").write_text("only words")
    page.get_by_label("Choose a picture or a video").set_input_files(tmp_path / "words.mp4")
    page.get_by_role("button", name="Analyse").click()
    expect(page.get_by_role("alert")).to_be_visible(timeout=ANSWER_MS)
    expect(page.get_by_role("button", name="Analyse")).to_be_enabled()


def test_without_script_the_form_is_answered_with_a_page(browser, served, picture):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(served.address)
    page.get_by_label("Choose a picture or a video").set_input_files(picture)
    page.get_by_role("button", name="Analyse").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        re.compile("sign of manipulation|Uncertain"), timeout=ANSWER_MS
    )
    expect(page.locator("rect")).to_have_count(1)
    context.close()


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_overflows_sideways(page, width, picture):
    page.set_viewport_size({"width": width, "height": 800})
    page.get_by_label("Choose a picture or a video").set_input_files(picture)
    page.get_by_role("button", name="Analyse").click()
    expect(page.get_by_text("Frames looked at")).to_be_visible(timeout=ANSWER_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
