"""The upload page in a real browser, against the real thing: what goes in, what is seen, what is kept."""

import csv
import io
import json
import re
import shutil

import pytest
from deepfake_client.report.html_report import _instant as instant
from deepfake_client.report.plain_text import plain
from deepfake_contract.tensors import OTHER_MODELS
from PIL import Image
from playwright.sync_api import expect

ANSWER_MS = 120_000
VERDICT = re.compile("sign of manipulation|Uncertain|No face")
FIRST_PAINT_BYTES = 150_000
RESULT_BYTES = 1_500_000
TIMES = [0, 59.994, 59.996, 119.96, 119.996, 125.5, 3661]
NAME = "a\t\x07\x85b\u202fb\u3000c\xa0d\u200de\xadf \u202e\u200f\u2028.mp4"
# What stands out of its card; drawings are clipped.
OVERFLOWING = """() => [...document.querySelectorAll(".finding section *")].filter((each) => !each.closest("svg") &&
    each.getBoundingClientRect().right > each.closest("section").getBoundingClientRect().right + 1)
  .map((each) => each.outerHTML.slice(0, 100))"""


def choose(page, *files):
    page.locator("#file[multiple]").set_input_files(list(files))


def verdict(page):
    found = page.get_by_role("heading", name=VERDICT, level=2)
    expect(found.first).to_be_visible(timeout=ANSWER_MS)
    return found


@pytest.fixture
def page(new_page, served):
    return new_page(served.address)


@pytest.fixture
def found(page, clip):
    """The page with a clip's result."""
    choose(page, clip)
    verdict(page)
    return page


def frame_shown(page) -> int:
    return int(re.search(r"(\d+) of \d+ · frame \d+ at", page.locator(".viewer figcaption").inner_text())[1])


def test_a_dropped_clip_is_followed_and_answered(page, clip):
    # A slow line brings the answer in pieces, also where a busy machine lets the browser read only now and then.
    line = {"offline": False, "latency": 0, "downloadThroughput": 200_000, "uploadThroughput": -1}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", line)
    page.evaluate(
        """async (bytes) => {
          window.seen = { shifts: [], places: 0, scored: [], bars: {} };
          const keep = (list) => seen.shifts.push(...list.getEntries().filter((each) => !each.hadRecentInput));
          new PerformanceObserver(keep).observe({ type: "layout-shift", buffered: true });
          new MutationObserver(() => {
            const count = (what) => document.querySelectorAll(what).length;
            if (count(".strip li") && !seen.begun) [seen.begun, seen.places] = [performance.now(), count(".strip li")];
            if (count(".strip image")) seen.scored.push(count(".strip image"));
            const stages = document.querySelectorAll(".stages progress");
            for (const { ariaLabel, value } of stages) (seen.bars[ariaLabel] ??= []).push(value);
            if (count(".finding")) seen.ended ??= performance.now();
          }).observe(document.body, { childList: true, subtree: true });
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], "clip.mp4", { type: "video/mp4" }));
          const drop = (name) => document.querySelector("#drop").dispatchEvent(
            new DragEvent(name, { bubbles: true, cancelable: true, dataTransfer: transfer }));
          ["dragenter", "dragover", "drop"].forEach(drop);
        }""",
        list(clip.read_bytes()),
    )
    verdict(page)
    seen = page.evaluate("seen.shifts = seen.shifts.map(({ startTime, value }) => [startTime, value]), seen")
    assert seen["places"] == 32
    assert len(set(seen["scored"])) > 3, "frames came all at once"
    assert set(seen["bars"]) == {"Upload", "Decode", "Faces", "Networks", "Verdict"}
    for stage in ("Decode", "Faces", "Networks"):
        values = seen["bars"][stage]
        assert values == sorted(values) and len(set(values)) > 3, f"{stage} did not advance: {values}"
    # Of where the places are made, the first drawing is over 50 ms later.
    assert sum(value for at, value in seen["shifts"] if seen["begun"] + 50 < at < seen["ended"]) < 0.01
    expect(page.get_by_text("Likelihood of manipulation")).to_be_visible()
    expect(page.get_by_role("slider", name="Frame of the clip")).to_be_visible()
    expect(page.get_by_role("heading", name=VERDICT, level=2)).to_be_focused()


def test_boxes_lie_on_the_face(found):
    found.get_by_role("slider", name="Frame of the clip").press("Home")
    picture = found.get_by_role("img", name=re.compile("Frame at .*, 1 face"))
    frame, face = picture.bounding_box(), picture.locator("rect.box").bounding_box()
    assert frame["x"] <= face["x"] and face["x"] + face["width"] <= frame["x"] + frame["width"] + 1
    assert 0.1 < face["width"] / frame["width"] < 0.6
    # The view of the clip's first frame begins at (100, 25) of the picture, whose face is about (222, 115).
    for start, length, expected in (("x", "width", 222 - 100), ("y", "height", 115 - 25)):
        middle = (face[start] + face[length] / 2 - frame[start]) / frame[length]
        assert middle == pytest.approx(expected / 384, abs=0.04)


def test_a_frame_is_picked_by_mouse_touch_and_keys(new_page, served, clip):
    page = new_page(served.address, has_touch=True)
    choose(page, clip)
    verdict(page)
    board = page.get_by_role("slider", name="Frame of the clip")
    board.focus()
    board.press("End")
    assert frame_shown(page) == 32
    board.press("ArrowLeft")
    assert frame_shown(page) == 31
    number = re.search(r"frame (\d+) at", page.locator(".viewer figcaption").inner_text())[1]
    assert number == "190", "not the clip's own number, as in the report and the table"
    board.press("Home")
    assert (frame_shown(page), board.get_attribute("aria-valuenow")) == (1, "1")
    plot = page.locator(".lane .plot").first.bounding_box()
    page.mouse.move(plot["x"] + plot["width"] / 2, plot["y"] + 10)
    assert 15 <= frame_shown(page) <= 18
    page.touchscreen.tap(plot["x"] + 0.9 * plot["width"], plot["y"] + 10)
    assert 28 <= frame_shown(page) <= 30
    page.get_by_role("button", name="Next frame").click()
    assert 29 <= frame_shown(page) <= 31
    ranked = page.locator(".frames button")
    likelihoods = [float(text.split("·")[1].strip("<> ")) for text in ranked.all_inner_texts()]
    assert likelihoods == sorted(likelihoods, reverse=True)
    ranked.nth(2).click()
    expect(ranked.nth(2)).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".viewer figcaption")).to_contain_text(f"{likelihoods[2]:.2f}")


def test_the_map_can_be_weakened_and_hidden(found):
    maps = found.locator(".stage image.map")
    expect(maps).to_have_count(2)  # in the frame, and close up
    picture = maps.last
    assert picture.get_attribute("href").startswith("data:image/png")
    before = float(picture.get_attribute("opacity"))
    found.get_by_label("Strength").fill("20")
    assert float(picture.get_attribute("opacity")) == 0.2 < before
    found.get_by_label("Show heatmap").uncheck()
    assert picture.get_attribute("opacity") == "0"


def test_contributions_add_up_to_the_verdict(found, repository):
    networks = {folder.name for folder in repository.iterdir()} - {*OTHER_MODELS}
    cells = found.locator(".said tr td:nth-child(3)").all_inner_texts()
    *parts, total = [float(text.replace("−", "-")) for text in cells]
    assert len(parts) == len(networks) + 1, "and the intercept"
    assert abs(sum(parts) - total) < 0.03


SAVED = {
    "Save report": "deepfake-report.html",
    "Save as JSON": "deepfake-result.json",
    "Save frames as CSV": "deepfake-frames.csv",
}


def test_everything_can_be_saved_and_the_report_opens_without_network(found, browser, tmp_path):
    for name, file in SAVED.items():
        with found.expect_download() as download:
            found.get_by_role("button", name=name).click()
        assert download.value.suggested_filename == file
        download.value.save_as(tmp_path / file)
    result = json.loads((tmp_path / "deepfake-result.json").read_text())
    assert result["frames_processed"] == len(result["frames"]) == 32 and result["frames"][0]["thumbnail"]
    assert "report" not in result
    (face,) = result["frames"][0]["faces"]
    rows = list(csv.DictReader(io.StringIO((tmp_path / "deepfake-frames.csv").read_text())))
    assert len(rows) == 32 and rows[0]["file"] == "clip.mp4"
    assert {role: float(rows[0][role]) for role in result["networks"]} == face["networks"]
    offline = browser.new_context(offline=True)
    requests = []
    report = offline.new_page()
    report.on("request", lambda request: requests.append(request.url))
    report.goto((tmp_path / "deepfake-report.html").as_uri())
    expect(report.get_by_role("heading", name="clip.mp4")).to_be_visible()
    expect(report.get_by_text(result["media"]["sha256"])).to_be_visible()
    expect(report.locator("svg image").first).to_be_visible()
    assert [each for each in requests if not each.startswith(("file:", "data:"))] == []
    offline.close()


def test_several_files_wait_in_line_and_two_are_compared(page, picture, temple, tmp_path):
    Image.fromarray(temple).save(tmp_path / "temple.jpg")
    choose(page, picture, tmp_path / "temple.jpg")
    files = page.get_by_role("region", name="Files").get_by_role("listitem")
    expect(files).to_have_count(2)
    expect(files.nth(1)).to_contain_text("no face", timeout=ANSWER_MS)
    files.nth(1).get_by_role("button", name="temple.jpg").first.click()
    expect(page.get_by_role("heading", name="No face to analyse")).to_be_visible()
    for number in range(2):
        files.nth(number).get_by_role("checkbox").check()
    side_by_side = page.get_by_role("region", name="Results side by side")
    expect(side_by_side.get_by_role("article")).to_have_count(2)
    files.nth(0).locator(".open").click()
    expect(side_by_side).to_have_count(0)
    expect(page.locator("#list input:checked")).to_have_count(0)
    for number in range(2):
        files.nth(number).get_by_role("checkbox").check()
    choose(page, picture)  # what comes in is seen, and can be cancelled, also beside a comparison
    expect(side_by_side).to_have_count(0)
    expect(files.nth(2)).to_contain_text(re.compile("sign|uncertain"), timeout=ANSWER_MS)
    files.nth(0).get_by_role("button", name="Remove").click()
    expect(files).to_have_count(2)
    expect(files.nth(0).get_by_role("button").first).to_be_focused()


def test_what_is_removed_is_not_shown_any_more(page, picture, temple, tmp_path):
    Image.fromarray(temple).save(tmp_path / "temple.jpg")
    choose(page, tmp_path / "temple.jpg", picture)
    files = page.get_by_role("region", name="Files").get_by_role("listitem")
    expect(files.nth(1)).to_contain_text(re.compile("sign|uncertain"), timeout=ANSWER_MS)
    for number in range(2):
        files.nth(number).get_by_role("checkbox").check()
    files.nth(1).get_by_role("button", name="Remove").click()
    expect(page.get_by_role("region", name="Results side by side")).to_have_count(0)
    expect(page.locator(".finding .file-name")).to_have_text("temple.jpg")
    choose(page, picture)
    expect(files.nth(1)).to_contain_text(re.compile("sign|uncertain"), timeout=ANSWER_MS)
    files.nth(1).locator(".open").click()
    expect(page.locator(".finding .file-name")).to_have_text(picture.name)
    files.nth(1).get_by_role("button", name="Remove").click()
    expect(page.locator(".finding .file-name")).to_have_text("temple.jpg")
    files.nth(0).get_by_role("button", name="Remove").click()
    expect(page.locator(".finding")).to_have_count(0)
    expect(page.locator("#files")).to_be_hidden()


def test_samples_can_be_tried(page):
    page.get_by_role("button", name="Try a picture").click()
    verdict(page)
    page.get_by_role("button", name="Try a clip").click()
    expect(page.get_by_role("slider", name="Frame of the clip")).to_be_visible(timeout=ANSWER_MS)


def test_a_file_chosen_before_the_script_has_run_is_taken(new_page, served, picture):
    page = new_page("about:blank")
    waiting = []
    page.route("**/start.js", lambda route: waiting.append(route))
    page.goto(served.address, wait_until="commit")
    while not waiting:
        page.wait_for_timeout(50)
    page.locator("#file").set_input_files(picture)
    waiting.pop().continue_()
    verdict(page)


def test_the_camera_is_reached_by_keyboard_where_it_is_offered(new_page, served):
    page = new_page(served.address, has_touch=True, is_mobile=True)
    page.get_by_role("button", name="Try a clip").focus()
    page.keyboard.press("Tab")
    expect(page.locator("#camera")).to_be_focused()
    expect(page.locator("label.touch")).to_have_css("outline-style", "solid")


def test_a_picture_can_be_pasted(page, picture):
    page.evaluate(
        """(bytes) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], "image.png", { type: "image/png" }));
          document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer }));
        }""",
        list(picture.read_bytes()),
    )
    verdict(page)


def test_the_clip_plays_beside_its_frames(page, clip_for_browsers):
    choose(page, clip_for_browsers)
    verdict(page)
    page.get_by_text("Play the clip").click()
    page.wait_for_function("() => document.querySelector('.player video')?.readyState >= 2", timeout=ANSWER_MS)
    board = page.get_by_role("slider", name="Frame of the clip")
    board.press("End")
    page.wait_for_function("() => document.querySelector('.player video').currentTime > 1")


def test_times_and_names_are_written_as_in_the_report(page):
    written = page.evaluate(
        """async ([times, name]) => {
          const dom = await import(new URL("dom.js", document.querySelector("script[type=module]").src));
          return [times.map(dom.clock), dom.plain(name)];
        }""",
        [TIMES, NAME],
    )
    assert written == [[instant(time) for time in TIMES], plain(NAME)]
    assert written[0] == ["0.00 s", "59.99 s", "60.00 s", "119.96 s", "2:00.00", "2:05.50", "61:01.00"]


def test_a_clip_that_the_browser_cannot_play_is_said_so(found):
    """MPEG-4 Part 2: decoded by the server, by no browser."""
    found.get_by_text("Play the clip").click()
    expect(found.get_by_text("This browser can't play the file")).to_be_visible(timeout=ANSWER_MS)


def test_what_the_browser_cannot_show_is_previewed_by_its_first_frame(found):
    preview = found.locator("#list .preview")
    expect(preview).to_have_attribute("src", re.compile("^data:image/jpeg"))


def test_dots_of_the_timeline_are_whole(found):
    """The first and the last frame lie on the plot's very edges."""
    board = found.locator(".board").bounding_box()
    for dot in (found.locator(".lane .dot").first, found.locator(".lane .dot").last):
        middle = dot.bounding_box()
        assert board["x"] + 4 <= middle["x"] <= board["x"] + board["width"] - 4


@pytest.mark.parametrize("width", [360, 1440])
def test_cancel_is_in_reach_beside_a_long_name(new_page, served, clip, tmp_path, width):
    long = tmp_path / f"{'a-name-without-end-' * 6}.mp4"
    shutil.copy(clip, long)
    page = new_page(served.address, viewport={"width": width, "height": 740})
    choose(page, long)
    button = page.get_by_role("button", name="Cancel", exact=True)
    expect(button).to_be_visible()
    assert button.bounding_box()["height"] <= 50, "written in two lines"
    button.click()
    expect(page.get_by_role("heading", name="Stopped")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_limits_and_formats_are_shown_before_anything_is_chosen(page):
    limits = page.locator("#limits")
    for text in ("JPEG", "MP4", "500 MiB", "30 minutes", "50 megapixels", "deleted"):
        expect(limits).to_contain_text(text)


def test_without_script_the_form_is_answered_with_the_report(browser, served, picture):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(served.address)
    page.get_by_label("Choose files").set_input_files(picture)
    page.get_by_role("button", name="Analyse").click()
    expect(page.get_by_text(VERDICT).first).to_be_visible(timeout=ANSWER_MS)
    expect(page.locator("svg image").first).to_be_visible()
    context.close()


def test_the_first_visit_and_a_result_are_light(new_page, served, clip):
    page = new_page("about:blank")
    sent = {}
    page.on("response", lambda answer: sent.update({answer.url: answer}))
    page.goto(served.address, wait_until="networkidle")
    assert sum(len(answer.body()) for answer in sent.values()) < FIRST_PAINT_BYTES
    sent.clear()
    choose(page, clip)
    verdict(page)
    (answer,) = [each for address, each in sent.items() if address.endswith("/predict")]
    frames = [line for line in answer.text().splitlines() if json.loads(line)["event"] == "frame"]
    assert sum("data:image/jpeg" in line for line in frames) == 32
    assert len(answer.body()) < RESULT_BYTES


@pytest.mark.parametrize("width", [320, 400, 768, 1440])
def test_nothing_overflows_sideways(page, width, clip):
    page.set_viewport_size({"width": width, "height": 800})
    choose(page, clip)
    verdict(page)
    page.get_by_text("Show all").click()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.evaluate(OVERFLOWING) == []
    compare, remove = (page.locator(f"#list {each}").bounding_box() for each in (".compare", ".quiet"))
    assert compare["x"] < remove["x"] and compare["y"] == remove["y"], "the row's ends are torn apart"
