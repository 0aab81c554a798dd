"""The API page in a real browser, its calls against the real thing."""

import json
import re
import subprocess

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
ANSWER_MS = 120_000
TABS = 150  # more than there are places for the focus before any operation
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        # Chromium's own sandbox needs user namespaces, which containers often lack.
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser, served):
    """Opens the API page; fails afterwards if a browser complained, of its content policy or of an error."""
    complaints, contexts = [], []

    def open_one(**options) -> Page:
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{served.address}/docs")
        expect(page.get_by_text("Try it").first).to_be_visible()
        return page

    yield open_one
    for context in contexts:
        context.close()
    # An answer that refuses, or none, is told on the console too, and is what some tests are about.
    assert [each for each in complaints if not each.startswith("Failed to load resource")] == []


@pytest.fixture
def page(open_page) -> Page:
    return open_page()


class Trial:
    """The form that tries one operation, opened."""

    def __init__(self, page: Page, name: str):
        self.node = page.locator(f"#operation-{name}")
        self.node.locator("summary").first.click()
        self.status = self.node.locator(".call-told")
        self.body = self.node.get_by_role("group", name="Body of the answer")
        self.command = self.node.get_by_role("group", name="The same call with curl")

    def send(self, file=None, **fields):
        if file:
            self.node.get_by_label(re.compile("^file")).set_input_files(file)
        for name, value in fields.items():
            control = self.node.get_by_label(re.compile(f"^{name}"))
            control.check() if value is True else control.fill(str(value))
        self.node.get_by_role("button", name="Send").click()

    def accept(self, kind: str):
        self.node.get_by_label(re.compile("Answer as")).select_option(kind)

    def is_answered(self, status: int):
        expect(self.status).to_contain_text(re.compile(rf"^{status} .*complete after [\d.]+ s"), timeout=ANSWER_MS)


def test_a_picture_is_analysed_and_its_answer_shown_as_json(page, picture):
    trial = Trial(page, "predict_image")
    trial.send(picture, heatmaps=True)
    trial.is_answered(200)
    text = trial.body.inner_text()
    answer = json.loads(text)
    assert answer["file_type"] == "image" and len(answer["frames"][0]["faces"]) == 1
    # A map's row is one line, and a thumbnail is told by its size alone.
    assert re.search(r'"thumbnail": "data:image/jpeg;base64,… \(\d+ KiB\)"', text)
    assert re.search(r"^ +\[(-?[\d.e-]+, ){6}-?[\d.e-]+\],?$", text, re.MULTILINE)
    expect(trial.node.locator(".call-headers")).to_contain_text("application/json")
    expect(trial.node.locator(".call-headers")).to_contain_text(re.compile(r"X-Request-ID\s*[\da-f-]{36}"))


def test_a_stream_is_shown_line_by_line(page, clip):
    trial = Trial(page, "predict")
    trial.accept("application/x-ndjson")
    trial.send(clip, frames=3)
    trial.is_answered(200)
    names = trial.body.locator("summary b").all_inner_texts()
    assert names[0] == "accepted" and names[-1] == "result"
    assert names.count("frame") == 3 < names.count("progress")
    expect(trial.status).to_contain_text(f"{len(names)} lines")
    expect(trial.body.locator("details").last).to_have_attribute("open", "")
    assert json.loads(trial.body.locator("pre").inner_text())["frames_processed"] == 3
    trial.body.locator("summary").first.click()
    assert json.loads(trial.body.locator("pre").first.inner_text())["file_type"] == "video"


def test_a_line_is_shown_before_the_next_has_come(page):
    """The stream of an answer that has not ended, as the browser gets it."""
    page.add_init_script(
        """window.fetch = ((own) => async (address, options) => {
             if (!options?.method) return own(address, options);
             const line = new TextEncoder().encode('{"event":"progress","done":0,"total":1}\\n{"event":"pro');
             const body = new ReadableStream({ start: (controller) => controller.enqueue(line) });
             return new Response(body, { headers: { "Content-Type": "application/x-ndjson" } });
           })(window.fetch)"""
    )
    page.reload()
    trial = Trial(page, "predict")
    trial.send()
    expect(trial.body.locator("summary")).to_have_count(1)
    expect(trial.status).to_contain_text("begun after")


def test_a_refused_option_is_shown_as_a_problem_that_leads_to_its_explanation(page, picture):
    trial = Trial(page, "predict")
    trial.send(picture, frames=0)
    trial.is_answered(400)
    refusal = trial.node.locator(".call-refusal")
    expect(refusal).to_contain_text("The option frames must be a whole number from 1 to")
    refusal.get_by_role("link").click()
    expect(page.locator("#status-400")).to_be_in_viewport()
    assert page.url.endswith("/docs#status-400")


def test_a_call_without_a_file_is_refused_by_the_detector_in_words(page):
    trial = Trial(page, "predict")
    assert "-F file=@FILE" in trial.command.inner_text()
    trial.send()
    trial.is_answered(400)
    expect(trial.node.locator(".call-refusal")).to_contain_text("There is no file")


def test_health_is_asked(page):
    trial = Trial(page, "health")
    trial.send()
    trial.is_answered(200)
    assert json.loads(trial.body.inner_text())["status"] == "ok"


def test_a_page_and_metrics_are_shown_as_text(page, picture):
    trial = Trial(page, "predict")
    trial.accept("text/html")
    trial.send(picture)
    trial.is_answered(200)
    assert trial.body.inner_text().startswith("<!doctype html>")
    metrics = Trial(page, "metrics")
    metrics.send()
    metrics.is_answered(200)
    assert "# HELP deepfake_requests_total" in metrics.body.inner_text()


def test_a_result_becomes_a_table_through_a_json_body(page, picture):
    report = Trial(page, "report")
    take = report.node.get_by_role("button", name="Take result from the last answer")
    take.click()
    expect(report.node.get_by_text("There is none yet")).to_be_visible()
    trial = Trial(page, "predict")
    trial.send(picture)
    trial.is_answered(200)
    take.click()
    body = report.node.get_by_label("Body, as JSON")
    body.fill(json.dumps(json.loads(body.input_value()) | {"name": "picture.png"}))
    report.accept("text/csv")
    report.send()
    report.is_answered(200)
    assert re.match(r"file,index,.*\npicture\.png,0,", report.body.inner_text())


def test_stopping_ends_the_call(page, clip):
    trial = Trial(page, "predict")
    trial.send(clip, frames=200)
    trial.node.get_by_role("button", name="Stop").click()
    expect(trial.status).to_contain_text("Stopped.")
    expect(trial.node.get_by_role("button", name="Send")).to_be_enabled()
    trial.send(frames=0)
    trial.is_answered(400)


def test_a_detector_that_is_gone_is_told_in_a_sentence(page):
    trial = Trial(page, "health")
    page.context.set_offline(True)
    trial.send()
    expect(trial.status).to_contain_text("Check that the detector is running")


def test_without_the_document_the_page_still_explains_itself(browser, served):
    page = browser.new_page()
    page.route("**/openapi.json", lambda route: route.abort())
    page.goto(f"{served.address}/docs")
    expect(page.get_by_text("load this page again to try calls")).to_be_visible()
    expect(page.get_by_role("heading", name="POST /predict", exact=True)).to_be_visible()
    page.close()


def test_the_curl_command_that_is_copied_does_the_same(open_page, served, picture):
    odd = picture.parent / "it's, a picture; odd.png"
    odd.write_bytes(picture.read_bytes())
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    trial = Trial(page, "predict_image")
    trial.send(odd, heatmaps=True)
    trial.is_answered(200)
    trial.node.get_by_role("button", name="Copy curl command").click()
    expect(trial.node.get_by_text("Copied.")).to_be_visible()
    command = page.evaluate("navigator.clipboard.readText()")
    assert command == trial.command.inner_text() and "heatmaps=true" in command
    ran = subprocess.run(["sh", "-c", command], cwd=picture.parent, capture_output=True, text=True, timeout=120)
    shown, answered = json.loads(trial.body.inner_text()), json.loads(ran.stdout)
    assert answered["confidence"] == shown["confidence"] and "heatmap" in answered["frames"][0]["faces"][0]


def test_a_browser_that_does_not_let_copy_is_told_how_else(page):
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.reload()
    trial = Trial(page, "health")
    trial.node.get_by_role("button", name="Copy curl command").click()
    expect(trial.node.get_by_text("copy it with Ctrl+C")).to_be_visible()
    assert page.evaluate("String(getSelection())") == trial.command.inner_text()


def test_a_call_needs_no_pointer(page):
    def tab_to(target) -> None:
        for _ in range(TABS):
            if target.evaluate("node => node === document.activeElement"):
                return
            page.keyboard.press("Tab")
        pytest.fail(f"the focus does not reach {target}")

    operation = page.locator("#operation-health_live")
    tab_to(page.get_by_role("navigation", name="On this page").get_by_role("link", name="/health/live"))
    page.keyboard.press("Enter")
    expect(operation).to_be_in_viewport()
    tab_to(operation.locator("summary"))
    page.keyboard.press("Enter")
    tab_to(operation.get_by_role("button", name="Send"))
    page.keyboard.press("Enter")
    expect(operation.locator(".call-told")).to_contain_text("200", timeout=ANSWER_MS)
    # The focus stays, and the answer is next.
    assert operation.get_by_role("button", name="Send").evaluate("node => node === document.activeElement")
    tab_to(operation.get_by_role("group", name="Body of the answer"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_object_to(open_page, scheme, clip):
    page = open_page(color_scheme=scheme)
    trial = Trial(page, "predict")
    trial.accept("application/x-ndjson")
    trial.send(clip, frames=2)
    trial.is_answered(200)
    refused = Trial(page, "predict_video")
    refused.send(frames=0)
    refused.is_answered(400)
    Trial(page, "report")
    found = Axe().run(page, options={"runOnly": RULES, "resultTypes": ["violations", "passes"]})
    assert {"color-contrast", "label", "target-size"} <= {each["id"] for each in found.response["passes"]}
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_nothing_overflows_sideways(open_page, width, picture):
    page = open_page(viewport={"width": width, "height": 800})
    trial = Trial(page, "predict")
    trial.send(picture, heatmaps=True)
    trial.is_answered(200)
    trial.accept("application/x-ndjson")
    trial.send(picture)
    trial.is_answered(200)
    Trial(page, "report")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    inside = "node => [...node.querySelectorAll('*')].every((each) => each.closest('pre, .call-body') || each.getBoundingClientRect().right <= innerWidth)"  # noqa: E501
    assert page.locator("main").evaluate(inside)
