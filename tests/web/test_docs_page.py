"""The API page in a real browser: what it tells, its examples, how it is read."""

import json
import shutil
import subprocess

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
TABS = 150  # more than there are places for the focus before any operation
OVERFLOWING = """() => [...document.querySelectorAll("main *")]
  .filter((each) => each.getBoundingClientRect().right > document.documentElement.clientWidth)
  .map((each) => each.outerHTML.slice(0, 100))"""


@pytest.fixture
def address(answering):
    return "http://{}:{}/docs".format(*answering)


def example_of(page, operation):
    return page.locator(f"#operation-{operation} .example")


def test_every_example_is_answered_by_the_detector(new_page, served, picture, clip, tmp_path):
    shutil.copy(picture, tmp_path / "picture.jpg")  # told by its content
    shutil.copy(clip, tmp_path / "clip.mp4")
    examples = new_page(f"{served.address}/docs").locator(".example code").all_text_contents()
    assert len(examples) > 8
    for example in examples:
        command = example.replace("curl ", "curl --silent --show-error --fail ", 1)
        ran = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert ran.returncode == 0, f"{example}: {ran.stderr}"
        if "predict" in example:
            *_, last = ran.stdout.splitlines()
            assert json.loads(last)["frames_processed"] >= 1, example


def test_an_example_is_copied_as_it_stands(address, new_page):
    page = new_page(address, permissions=["clipboard-read", "clipboard-write"])
    example = example_of(page, "predict_image")
    example.get_by_role("button", name="Copy").click()
    expect(example.get_by_role("status")).to_have_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == example.locator("code").inner_text() and "file=@picture.jpg" in copied


def test_a_browser_that_does_not_let_copy_is_told_how_else(address, new_page):
    page = new_page("about:blank")
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.goto(address)
    example = example_of(page, "health")
    example.get_by_role("button", name="Copy").click()
    expect(example.get_by_role("status")).to_contain_text("copy it with Ctrl+C")
    assert page.evaluate("String(getSelection())") == example.locator("code").inner_text()


def test_without_script_the_page_is_whole_and_offers_nothing_that_does_not_work(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    expect(page.get_by_role("heading", name="POST /predict", exact=True)).to_be_visible()
    expect(example_of(page, "predict")).to_contain_text("curl -F file=@clip.mp4 http://127.0.0.1")
    expect(page.get_by_role("button")).to_have_count(0)
    context.close()


def test_an_example_needs_no_pointer(address, new_page):
    def tab_to(target) -> None:
        for _ in range(TABS):
            if target.evaluate("node => node === document.activeElement"):
                return
            page.keyboard.press("Tab")
        pytest.fail(f"the focus does not reach {target}")

    page = new_page(address, permissions=["clipboard-read", "clipboard-write"])
    tab_to(page.get_by_role("navigation", name="On this page").get_by_role("link", name="/health/live"))
    page.keyboard.press("Enter")
    expect(page.locator("#operation-health_live")).to_be_in_viewport()
    example = example_of(page, "health_live")
    tab_to(example.get_by_role("button", name="Copy"))
    page.keyboard.press("Enter")
    expect(example.get_by_role("status")).to_have_text("Copied.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_object_to(address, new_page, scheme):
    page = new_page(address, color_scheme=scheme)
    example = example_of(page, "predict")
    example.get_by_role("button", name="Copy").click()
    expect(example.get_by_role("status")).not_to_be_empty()
    found = Axe().run(page, options={"runOnly": RULES, "resultTypes": ["violations", "passes"]})
    assert {"color-contrast", "link-name", "target-size"} <= {each["id"] for each in found.response["passes"]}
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("width", [320, 768, 1440])
def test_nothing_overflows_sideways(address, new_page, width):
    page = new_page(address, viewport={"width": width, "height": 800})
    expect(page.get_by_role("button", name="Copy").first).to_be_visible()
    assert page.evaluate(OVERFLOWING) == []
