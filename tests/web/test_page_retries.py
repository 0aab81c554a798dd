"""Files that are sent again: when the detector was busy, when it could not be reached, and for how long."""

import json
from itertools import repeat

import pytest
from playwright.sync_api import expect

BUSY = json.dumps({"title": "Busy", "status": 429, "detail": "Too many files are being analysed at the moment."})
MOST_PAUSES = 5


@pytest.fixture
def page(answering, new_page):
    """With a clock that the test moves."""
    page = new_page("about:blank")
    page.clock.install()
    page.goto("http://{}:{}".format(*answering))
    yield page
    page.unroute_all(behavior="ignoreErrors")


@pytest.fixture
def answers(page):
    """Decides what becomes of each upload: "busy", "broken", a status, or None, for the detector's own answer."""

    def decide(each_in_turn):
        turns, sent = iter(each_in_turn), []

        def answer(route):
            sent.append(route.request.post_data_buffer)
            what = next(turns, None)
            if what is None:
                route.continue_()
            elif what == "broken":
                route.abort()
            elif what == "busy":
                headers = {"Retry-After": "7", "Content-Type": "application/problem+json"}
                route.fulfill(status=429, body=BUSY, headers=headers)
            else:
                route.fulfill(status=what, body="<p>away</p>")

        page.route("**/predict", answer)
        return sent

    return decide


def choose(page, *names):
    files = [{"name": name, "mimeType": "video/mp4", "buffer": b"x" * 100} for name in names]
    page.locator("#file[multiple]").set_input_files(files)


def state(page, number):
    return page.locator("#list .state").nth(number)


def test_a_busy_detector_is_asked_again_after_the_time_that_it_named(page, answers):
    sent = answers(["busy"])
    choose(page, "a.mp4", "b.mp4")
    pause = page.locator(".pausing")
    expect(pause).to_contain_text("Busy")
    expect(pause.get_by_role("timer")).to_have_text("Trying again in 7 s.")
    expect(state(page, 0)).to_have_text("trying again in 7 s")
    expect(page.locator("#say")).to_have_text("a.mp4: Busy. Trying again in 7 s.")
    page.clock.run_for(4000)
    expect(pause.get_by_role("timer")).to_have_text("Trying again in 3 s.")
    expect(state(page, 0)).to_have_text("trying again in 3 s")
    expect(page.locator("#say")).to_have_text("a.mp4: Busy. Trying again in 7 s.")  # not told each second
    assert len(sent) == 1
    page.clock.run_for(3000)
    for number in range(2):
        expect(state(page, number)).to_contain_text("strong sign")
    assert len(sent) == 3
    expect(page.locator("#outcome")).to_be_empty()


def test_the_reader_need_not_wait(page, answers):
    answers(["busy"])
    choose(page, "a.mp4")
    page.get_by_role("button", name="Try now").click()
    expect(page.locator(".finding h2")).to_be_focused()


@pytest.mark.parametrize("how", ["Give up", "Cancel a.mp4"])
def test_the_wait_can_be_given_up_and_the_rest_goes_on(page, answers, how):
    sent = answers(["busy"])
    choose(page, "a.mp4", "b.mp4")
    page.get_by_role("button", name=how).click()
    expect(page.get_by_role("alert")).to_contain_text("Busy")
    expect(state(page, 1)).to_contain_text("strong sign")
    expect(page.locator("#outcome")).to_contain_text("1 of 2 files could not be analysed: a.mp4 (Busy).")
    page.get_by_role("alert").get_by_role("button", name="Try again").click()
    expect(page.locator(".finding h2")).to_be_focused()
    expect(page.locator("#outcome")).to_be_empty()
    assert len(sent) == 3


def test_a_broken_connection_is_tried_again_ever_later_and_not_for_ever(page, answers):
    sent = answers(repeat("broken"))
    choose(page, "a.mp4", "b.mp4", "c.mp4")
    for number in range(MOST_PAUSES):
        expect(page.get_by_role("timer")).to_have_text(f"Trying again in {2**number} s.")
        assert len(sent) == number + 1
        page.clock.run_for(1000 * 2**number)
    # Waited for once: the others are sent, and told.
    expect(page.locator("#outcome")).to_contain_text(
        "3 of 3 files could not be analysed: a.mp4 (The connection broke), "
    )
    assert len(sent) == MOST_PAUSES + 3
    expect(page.get_by_role("alert")).to_contain_text("Check that it is running")
    page.unroute_all()
    page.get_by_role("button", name="Try them again").click()
    for number in range(3):
        expect(state(page, number)).to_contain_text("strong sign")
    expect(page.locator("#outcome")).to_be_empty()


def test_each_file_waits_for_a_detector_that_is_only_busy(page, answers):
    sent = answers(["busy"] * (MOST_PAUSES + 1) + ["busy"])
    choose(page, "a.mp4", "b.mp4")
    for seconds in (7, 7, 7, 8, 16):
        expect(page.get_by_role("timer")).to_have_text(f"Trying again in {seconds} s.")
        page.clock.run_for(1000 * seconds)
    expect(page.get_by_role("alert")).to_contain_text("Busy")
    expect(state(page, 1)).to_have_text("trying again in 7 s")
    page.clock.run_for(7000)
    expect(state(page, 1)).to_contain_text("strong sign")
    assert len(sent) == MOST_PAUSES + 3


@pytest.mark.parametrize(("status", "is_sent_again"), [(502, True), (503, True), (413, False), (500, False)])
def test_only_what_passes_is_waited_for(page, answers, status, is_sent_again):
    answers([status])
    choose(page, "a.mp4", "b.mp4")
    if is_sent_again:
        expect(page.get_by_role("timer")).to_have_text("Trying again in 1 s.")
        page.clock.run_for(1000)
    expect(state(page, 1)).to_contain_text("strong sign")
    expect(state(page, 0)).to_contain_text("strong sign" if is_sent_again else f"The server answered {status}")


def test_a_connection_that_breaks_in_mid_answer_is_tried_again(page):
    page.route(
        "**/predict",
        lambda route: route.fulfill(
            body='{"event": "progress", "decoded": 0, "searched": 0, "done": 0, "total": 1}\n',
            content_type="application/x-ndjson",
        ),
        times=1,
    )
    choose(page, "a.mp4")
    expect(page.locator(".pausing")).to_contain_text("The connection broke")
    page.clock.run_for(1000)
    expect(page.locator(".finding")).to_be_visible()


def test_what_the_reader_stopped_is_no_failure(page):
    page.route("**/predict", lambda route: None, times=1)
    choose(page, "a.mp4", "b.mp4")
    page.locator("section.working").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_contain_text("Stopped")
    expect(state(page, 1)).to_contain_text("strong sign")
    expect(page.locator("#outcome")).to_be_empty()
