"""Leaving the upload page: it asks where something would be lost, and only there."""

import time

import pytest
from playwright.sync_api import expect

ANSWERED = ".finding"
SAVES = ("Save report", "Save as JSON", "Save frames as CSV")


@pytest.fixture
def page(answering, new_page):
    address = "http://{}:{}".format(*answering)
    page = new_page(f"{address}/docs")
    page.goto(address)
    page.locator("h1").click()  # a browser asks only for somebody who has used the page
    page.context.new_page()  # one that is there when the other has been closed
    yield page
    if not page.is_closed():
        page.unroute_all(behavior="ignoreErrors")


def choose(page, *names, content=b"x" * 100):
    files = [{"name": name, "mimeType": "video/mp4", "buffer": content} for name in names]
    page.locator("#file[multiple]").set_input_files(files)


@pytest.fixture
def asks(page):
    """Whether somebody who leaves so is asked; who is asked stays, who is not is gone."""

    def attempt(way):
        def answer(dialog):
            asked.append(dialog.type)
            dialog.dismiss()

        asked = []
        page.on("dialog", answer)
        gone = "close" if way == "closing" else "domcontentloaded"
        ended = []
        page.once(gone, lambda _: ended.append(True))
        WAYS[way](page)
        deadline = time.monotonic() + 30
        while not asked and not ended:
            assert time.monotonic() < deadline, "neither asked nor gone"
            page.context.pages[-1].wait_for_timeout(20)
        page.remove_listener("dialog", answer)
        assert asked in ([], ["beforeunload"])
        return bool(asked)

    return attempt


WAYS = {
    "header": lambda page: page.get_by_role("link", name="API").click(no_wait_after=True),
    "brand": lambda page: page.get_by_role("link", name="Deepfake detector").click(no_wait_after=True),
    "back": lambda page: page.evaluate("history.back()"),
    "reload": lambda page: page.evaluate("location.reload()"),
    "closing": lambda page: page.close(run_before_unload=True),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_result_that_was_not_saved_is_not_lost_in_silence(page, asks, way):
    choose(page, "a.mp4")
    expect(page.locator(ANSWERED)).to_be_visible()
    assert asks(way)
    expect(page.locator(ANSWERED)).to_be_visible()


def test_work_in_line_or_under_way_is_not_lost_in_silence(page, asks):
    choose(page, "held.mp4", content=b"hold")
    expect(page.locator("section.working")).to_be_visible()
    assert asks("header")
    page.locator("section.working").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_contain_text("Stopped")
    assert not asks("reload")


def test_a_file_that_is_to_be_sent_again_is_not_lost_in_silence(page, asks):
    page.route("**/predict", lambda route: route.abort())
    choose(page, "a.mp4")
    expect(page.locator(".pausing")).to_be_visible()
    assert asks("reload")


@pytest.mark.parametrize("name", SAVES)
def test_what_was_saved_can_be_left(page, asks, name):
    choose(page, "a.mp4")
    with page.expect_download():
        page.get_by_role("button", name=name).click()
    assert not asks("header")
    expect(page.get_by_role("heading", name="API", exact=True)).to_be_visible()


def test_each_result_must_be_saved(page, asks):
    choose(page, "a.mp4", "b.mp4")
    expect(page.locator("#list .state").nth(1)).to_contain_text("strong sign")
    with page.expect_download():
        page.get_by_role("button", name="Save as JSON").click()
    assert asks("reload")
    page.get_by_role("button", name="Remove b.mp4").click()
    assert not asks("reload")


def test_saving_is_no_leaving(page):
    choose(page, "a.mp4", "b.mp4")
    expect(page.locator("#list .state").nth(1)).to_contain_text("strong sign")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    with page.expect_download():
        page.get_by_role("button", name="Save report").click()
    assert asked == []


@pytest.mark.parametrize("way", WAYS)
def test_nobody_is_asked_who_has_nothing_to_lose(page, asks, way):
    assert not asks(way)


def test_what_could_not_be_analysed_holds_nobody(page, asks):
    page.route("**/predict", lambda route: route.fulfill(status=413, body="too large"))
    choose(page, "a.mp4")
    expect(page.get_by_role("alert")).to_contain_text("413")
    assert not asks("reload")
