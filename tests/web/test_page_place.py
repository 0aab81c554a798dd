"""Whoever reads stays where they are while other files are analysed; the focus is seen on what has it."""

import json

import pytest
from playwright.sync_api import expect

ANSWER_MS = 120_000
# Where the keyboard is, and where what is read stands in the window.
PLACE = """() => {
  const focused = document.activeElement;
  return [focused.outerHTML.slice(0, 60), Math.round(focused.getBoundingClientRect().top),
    Math.round(document.querySelector("#shown h3:last-of-type")?.getBoundingClientRect().top ?? 0)];
}"""
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
GROWS = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("#list li:has(.fake, .real, .uncertain) { padding-bottom: 40px }");
  document.adoptedStyleSheets = [sheet];
}"""
OUTLINED = """() => [...document.querySelectorAll("body *")].filter((each) => {
    const style = getComputedStyle(each);
    return style.outlineStyle !== "none" && style.opacity !== "0";
  }).map((each) => each.outerHTML.replace(/\\s+/g, " ").slice(0, 60))"""


@pytest.fixture(scope="module")
def answer(served, clip):
    """The lines of a clip's real analysis, as they were streamed."""
    from urllib.request import Request, urlopen

    head = '--b\r\nContent-Disposition: form-data; name="heatmaps"\r\n\r\ntrue\r\n'
    head += '--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
    body = head.encode() + clip.read_bytes() + b"\r\n--b--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b", "Accept": "application/x-ndjson"}
    with urlopen(Request(f"{served.address}/predict", body, headers), timeout=120) as answer:
        return [json.loads(line) for line in answer]


@pytest.fixture
def reading(new_page, served, answer, clip):
    """A page with one result, and a second file whose answer the test gives: { page, go }."""

    def begin(**options):
        page = new_page(served.address, **options)
        held = []
        body = "".join(json.dumps(line) + "\n" for line in answer)
        page.route("**/predict", lambda route: held.append(route))

        def go():
            page.wait_for_function("() => document.querySelector('#list .state.working')")
            while not held:
                page.wait_for_timeout(20)
            held.pop().fulfill(body=body, content_type="application/x-ndjson")

        page.locator("#file[multiple]").set_input_files([clip, clip])
        go()
        expect(page.locator(".finding")).to_be_visible(timeout=ANSWER_MS)
        return page, go

    return begin


def second_is_done(page):
    expect(page.locator("#list .state").nth(1)).to_contain_text("sign")


@pytest.mark.parametrize("width", [360, 1024])
@pytest.mark.parametrize("where", [".plot[role=slider]", ".frame >> nth=3", ".save button >> nth=0", "#map"])
def test_a_file_that_ends_moves_nobody_who_reads_another(reading, where, width):
    page, go = reading(viewport={"width": width, "height": 700})
    page.locator(where).focus()
    page.locator(where).scroll_into_view_if_needed()
    before = page.evaluate(PLACE)
    go()
    second_is_done(page)
    page.wait_for_function(DRAWN)
    assert page.evaluate(PLACE) == before


@pytest.mark.parametrize("holds", [True, False])
def test_what_is_read_stays_in_its_place_where_the_list_grows(reading, holds):
    """Also in a browser that does not see to it by itself."""
    page, go = reading(viewport={"width": 360, "height": 700})
    if not holds:
        page.evaluate("document.documentElement.style.overflowAnchor = 'none'; CSS.supports = () => false")
    page.evaluate(GROWS)
    page.mouse.wheel(0, 1500)
    page.wait_for_function("() => scrollY > 1000")
    (*_, before), height = page.evaluate(PLACE), page.locator("#files").bounding_box()["height"]
    go()
    second_is_done(page)
    page.wait_for_function(DRAWN)
    assert page.locator("#files").bounding_box()["height"] > height + 30
    assert page.evaluate(PLACE)[-1] == before


def test_a_row_of_the_list_does_not_grow_by_itself(reading):
    page, go = reading(viewport={"width": 360, "height": 700})
    before = page.locator("#files").bounding_box()
    go()
    second_is_done(page)
    assert page.locator("#files").bounding_box() == before


def test_who_waits_in_the_list_keeps_the_focus_when_the_shown_file_ends(reading):
    page, go = reading()
    page.locator("#list .open").nth(1).click()
    box = page.locator("#list input").first
    box.focus()
    top = page.evaluate("scrollY")
    go()
    second_is_done(page)
    expect(page.locator(".finding")).to_be_visible()
    expect(box).to_be_focused()
    assert page.evaluate("scrollY") == top


def test_who_watches_a_file_gets_its_result(reading):
    page, go = reading()
    page.locator("#list .open").nth(1).click()
    page.locator("section.working").get_by_role("button", name="Cancel").focus()
    go()
    expect(page.locator(".finding h2")).to_be_focused()


@pytest.mark.parametrize(("key", "outlined"), [("#file", 'for="file"'), ("[data-sample] >> nth=0", "data-sample")])
def test_the_focus_is_seen_on_what_has_it_alone(new_page, served, key, outlined):
    page = new_page(served.address)
    page.keyboard.press("Tab")
    page.locator(key).focus()
    (one,) = page.evaluate(OUTLINED)
    assert outlined in one
