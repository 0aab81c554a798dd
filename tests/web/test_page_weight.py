"""What a visit to the upload page costs: over a slow line, and when it is repeated."""

import re

import pytest
from playwright.sync_api import expect

# What browsers call slow 3G: a round trip of 400 ms, 50 KB a second each way.
SLOW_LINE = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
USABLE_MS = 2_000
SLACK_MS = 2_000  # for a machine that is busy with other things
SECOND_VISIT_BYTES = 10_000
FIRST_VISIT_BYTES = 50_000


@pytest.fixture
def address(answering):
    return "http://{}:{}".format(*answering)


class Traffic:
    """The bytes that a page has over the network, head and body, by address; what the cache gives is none."""

    def __init__(self, page, line=None):
        self.bytes, self._addresses = {}, {}
        network = page.context.new_cdp_session(page)
        network.on("Network.requestWillBeSent", self._asked)
        network.on("Network.loadingFinished", self._ended)
        network.send("Network.enable")
        if line:
            network.send("Network.emulateNetworkConditions", line)

    def _asked(self, event):
        self._addresses[event["requestId"]] = event["request"]["url"]

    def _ended(self, event):
        if event["encodedDataLength"]:
            self.bytes[self._addresses[event["requestId"]]] = event["encodedDataLength"]

    @property
    def total(self) -> int:
        return int(sum(self.bytes.values()))


def test_a_slow_line_takes_a_file_within_two_seconds(address, new_page, clip):
    """From the address typed to the chosen file on its way, the page's whole script included."""
    page = new_page("about:blank")
    traffic = Traffic(page, SLOW_LINE)
    page.goto(address, wait_until="commit")
    page.locator("#file[multiple]").set_input_files(clip)
    page.wait_for_function("() => document.querySelector('#shown .working, #shown .finding')")
    begun = page.evaluate(
        """() => performance.getEntriesByType("resource").find(({ name }) => name.endsWith("/predict"))?.startTime
             ?? performance.now()"""
    )
    assert begun < USABLE_MS + SLACK_MS, f"{begun:.0f} ms"
    print(f"file on its way after {begun:.0f} ms, {traffic.total} bytes")
    assert not [each for each in traffic.bytes if each.endswith("/config")]


def test_a_second_visit_fetches_the_page_alone(address, new_page):
    first = new_page("about:blank")
    traffic = Traffic(first)
    first.goto(address, wait_until="networkidle")
    assert any(each.endswith("/style.css") for each in traffic.bytes)
    assert traffic.total < FIRST_VISIT_BYTES
    second = first.context.new_page()
    again = Traffic(second)
    second.goto(address, wait_until="networkidle")
    expect(second.locator("#file[multiple]")).to_be_attached()
    assert list(again.bytes) == [f"{address}/"]
    assert again.total < SECOND_VISIT_BYTES
    print(f"first visit {traffic.total} bytes, second {again.total} bytes")


def test_the_ways_in_are_open_before_the_rest_is_here(address, new_page, clip):
    page = new_page("about:blank")
    held = []
    page.route("**/page.js", lambda route: held.append(route))
    page.goto(address, wait_until="commit")
    page.locator("#file[multiple]").set_input_files(clip)
    expect(page.get_by_text("analysed as soon as it has loaded")).to_be_visible()
    for route in held:
        route.continue_()
    expect(page.locator(".finding")).to_be_visible()


def test_a_part_that_does_not_arrive_is_told(address, new_page):
    page = new_page("about:blank")
    page.route("**/page.js", lambda route: route.abort())
    page.goto(address, wait_until="commit")
    expect(page.get_by_role("alert")).to_contain_text("reload the page")


def test_a_result_that_can_not_be_drawn_is_told_and_nothing_else_is_sent_for_it(address, new_page, clip):
    page = new_page("about:blank")
    sent = []
    page.on("request", lambda request: sent.append(request.url) if request.url.endswith("/predict") else None)
    page.route("**/timeline.js", lambda route: route.abort())
    page.goto(address, wait_until="commit")
    page.locator("#file[multiple]").set_input_files(clip)
    expect(page.get_by_role("alert")).to_contain_text("reload the page")
    assert len(sent) == 1


def test_what_is_fetched_along_is_all_that_the_page_imports(address, new_page):
    """A module that is not named in the page's head costs a round trip more."""
    page = new_page("about:blank")
    page.goto(address, wait_until="networkidle")
    named = page.evaluate(
        "[...document.querySelectorAll('link[rel=modulepreload], script[src]')].map((each) => each.href || each.src)"
    )
    fetched = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    assert sorted(each for each in fetched if re.search(r"\.js$", each)) == sorted(named)
