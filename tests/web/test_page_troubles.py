"""The upload page when something goes wrong: each time it says what happened and what to do."""

import io
import os
import signal
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import expect

ANSWER_MS = 120_000
HOSTILE = "<img src=x onerror=alert(1)> =1+1 \u202egpj.mp4"


def choose(page, *files):
    page.locator("#file[multiple]").set_input_files(list(files))


def told(page, *texts, again: bool):
    """The alert says all this, and offers another try only where one can help."""
    alert = page.get_by_role("alert")
    expect(alert).to_be_visible(timeout=ANSWER_MS)
    for text in texts:
        expect(alert).to_contain_text(text)
    expect(alert.get_by_role("button", name="Try again")).to_have_count(int(again))


def test_a_file_of_another_kind(new_page, served, tmp_path):
    (tmp_path / "words.mp4").write_text("only words")
    page = new_page(served.address)
    choose(page, tmp_path / "words.mp4")
    told(page, "The file is text", "Send a picture", again=False)


def test_a_file_over_the_limit_is_not_even_sent(new_page, served, tmp_path):
    with (tmp_path / "long.mp4").open("wb") as file:
        file.truncate(500 * 1024 * 1024 + 1)
    page = new_page(served.address)
    sent = []
    page.on("request", lambda request: sent.append(request.url))
    choose(page, tmp_path / "long.mp4")
    told(page, "Too large", "long.mp4 is larger than 500 MiB", "Send a shorter piece", again=False)
    assert not [each for each in sent if each.endswith("/predict")]


def test_a_server_that_goes_away_in_mid_stream(new_page, served_alone, clip):
    page = new_page(served_alone.address)
    choose(page, clip)
    page.wait_for_function(
        "() => document.querySelector('.strip li')", timeout=ANSWER_MS
    )  # looked for at every frame drawn
    for process in served_alone.processes("python"):
        if b"gunicorn" in Path(f"/proc/{process}/cmdline").read_bytes():
            os.kill(process, signal.SIGKILL)
    expect(page.locator(".pausing")).to_contain_text("The connection broke")
    page.get_by_role("button", name="Give up").click()
    told(page, "The connection broke", "Check that it is running", again=True)


def test_a_sample_of_a_server_that_is_gone(new_page, serve):
    with serve() as (host, port):
        page = new_page(f"http://{host}:{port}")
        page.wait_for_load_state("networkidle")
    page.get_by_role("button", name="Try a picture").click()
    told(page, "The sample could not be loaded", again=False)


def test_an_upload_that_is_cancelled(new_page, serve, uploads, eventually, tmp_path):
    (tmp_path / "large.mp4").write_bytes(b"x" * 900_000)
    with serve() as (host, port):
        page = new_page(f"http://{host}:{port}")
        network = page.context.new_cdp_session(page)
        slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 50_000}
        network.send("Network.emulateNetworkConditions", slow)
        choose(page, tmp_path / "large.mp4")
        eventually(uploads)
        page.locator("section.working").get_by_role("button", name="Cancel").click()
        told(page, "Stopped", "deletes what it has", again=True)
        eventually(lambda: not uploads())


def test_cancel_is_taken_while_the_file_is_still_being_opened(new_page, served, clip):
    """As from a slow network drive."""
    page = new_page("about:blank")
    page.add_init_script("Blob.prototype.arrayBuffer = () => new Promise(() => {})")
    page.goto(served.address)
    choose(page, clip)
    page.locator("section.working").get_by_role("button", name="Cancel").click()
    told(page, "Stopped", again=True)


def test_hostile_names_and_tags_are_shown_as_text(new_page, served, picture):
    tags = PngInfo()
    tags.add_text("Software", HOSTILE)
    file = io.BytesIO()
    Image.open(picture).save(file, "PNG", pnginfo=tags)
    page = new_page(served.address)
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.locator("#file[multiple]").set_input_files(
        {"name": HOSTILE, "mimeType": "image/png", "buffer": file.getvalue()}
    )
    escaped = HOSTILE.replace("\u202e", "\\u202e")
    expect(page.locator(".finding .file-name")).to_have_text(escaped, timeout=ANSWER_MS)
    expect(page.locator(".about")).to_contain_text("<img src=x onerror=alert(1)> =1+1")
    assert page.locator("img[src=x]").count() == 0 and not dialogs
