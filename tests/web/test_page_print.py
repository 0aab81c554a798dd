"""The upload page on paper, and where the system gives the colours."""

import base64
import re

import pytest
from playwright.sync_api import expect

ANSWER_MS = 120_000
VERDICT = re.compile("sign of manipulation|Uncertain|No face")
# What has a box of its own on the page and stands for something to press, choose or fill in.
CONTROLS = """() => [...document.querySelectorAll("button, input, select, video, summary, .button, #drop, #form")]
  .filter((each) => each.getClientRects().length).map((each) => each.outerHTML.slice(0, 100))"""


@pytest.fixture
def found(new_page, served, clip):
    def find(**options):
        page = new_page(served.address, **options)
        page.locator("#file[multiple]").set_input_files(clip)
        expect(page.get_by_role("heading", name=VERDICT, level=2)).to_be_visible(timeout=ANSWER_MS)
        return page

    return find


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_paper_stands_what_was_found_and_nothing_to_press(found, scheme):
    page = found(color_scheme=scheme)
    page.emulate_media(media="print", color_scheme=scheme)
    assert page.evaluate(CONTROLS) == []
    for what in (".verdict", ".stage image", ".legend .scale", ".lane", ".said table", ".about"):
        expect(page.locator(what).first).to_be_visible()
    assert page.locator(".frames li svg").count() == 8
    expect(page.locator(".frames li svg").first).to_be_visible()
    # Ink on white, whatever the screen's scheme.
    expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    expect(page.locator(".legend .scale")).to_have_css("print-color-adjust", "exact")


def test_a_page_of_a_pdf_holds_the_map_and_its_legend(found, tmp_path):
    page = found(color_scheme="dark")
    page.pdf(path=tmp_path / "page.pdf", format="A4")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 690, "height": 1000})
    viewer = page.locator(".viewer").bounding_box()
    assert viewer["height"] < 700, "picture and legend do not fit on a page together"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_legend_is_seen_in_forced_colours(found, scheme):
    page = found(color_scheme=scheme)
    page.emulate_media(forced_colors="active", color_scheme=scheme)
    legend = page.locator(".legend .scale")
    expect(legend).to_be_visible()
    colours = page.evaluate(
        """(png) => new Promise((done) => {
          const image = new Image();
          image.onload = () => {
            const canvas = document.createElement("canvas");
            [canvas.width, canvas.height] = [image.width, image.height];
            const context = canvas.getContext("2d");
            context.drawImage(image, 0, 0);
            const at = (x) => [...context.getImageData(x, image.height / 2, 1, 1).data.slice(0, 3)];
            done([at(4), at(image.width - 5)]);
          };
          image.src = png;
        })""",
        "data:image/png;base64," + base64.b64encode(legend.screenshot()).decode(),
    )
    (red, _, blue), (red_fake, _, blue_fake) = colours
    assert blue - red > 80 and red_fake - blue_fake > 80, colours


def test_the_place_in_the_clip_is_seen_in_forced_colours(found):
    page = found()
    page.emulate_media(forced_colors="active")
    cursor, ground = (
        page.locator(each).evaluate("(node) => getComputedStyle(node).backgroundColor") for each in (".cursor", "body")
    )
    assert cursor != ground
