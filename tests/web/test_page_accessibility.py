"""Every state of the upload page, light and dark, under axe-core's rules (WCAG 2.2 AA)."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

ANSWER_MS = 120_000
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
VERDICTS = {
    "FAKE": {"label": "FAKE", "certainty": "high", "reasons": []},
    "REAL": {"label": "REAL", "certainty": "high", "reasons": []},
    "UNCERTAIN": {"certainty": "low", "reasons": ["near_threshold", "networks_disagree", "small_faces"]},
}


@pytest.fixture(params=["light", "dark"])
def scheme(request):
    return request.param


def violations(page) -> list[str]:
    found = Axe().run(page, options=RULES).response
    assert len(found["passes"]) > 10, "axe looked at nothing"
    return [f"{each['id']}: {node['html'][:120]}" for each in found["violations"] for node in each["nodes"]]


def test_nothing_chosen(new_page, served, scheme):
    assert violations(new_page(served.address, color_scheme=scheme)) == []


def test_under_way_and_in_line(answering, new_page, scheme, clip, tmp_path):
    (tmp_path / "held.mp4").write_bytes(b"hold")
    page = new_page("http://{}:{}".format(*answering), color_scheme=scheme)
    page.locator("#file[multiple]").set_input_files([tmp_path / "held.mp4", clip])
    expect(page.locator(".strip li")).to_have_count(1)
    assert violations(page) == []
    page.locator("section.working").get_by_role("button", name="Cancel").click()


def test_a_pause_and_a_batch_that_failed(answering, new_page, scheme, clip):
    page = new_page("http://{}:{}".format(*answering), color_scheme=scheme)
    page.route("**/predict", lambda route: route.abort())
    page.locator("#file[multiple]").set_input_files([clip, clip])
    expect(page.get_by_role("timer")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Give up").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#outcome")).to_contain_text("could not be analysed")
    assert violations(page) == []


@pytest.fixture(scope="module")
def answer(served, clip):
    """The events of a clip's real analysis, as they were streamed."""
    from urllib.request import Request, urlopen

    boundary = "boundary"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="heatmaps"\r\n\r\ntrue\r\n--{boundary}\r\n'
    head += 'Content-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
    body = head.encode() + clip.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Accept": "application/x-ndjson"}
    with urlopen(Request(f"{served.address}/predict", body, headers), timeout=120) as answer:
        return [json.loads(line) for line in answer]


@pytest.mark.parametrize("state", VERDICTS)
def test_a_verdict(new_page, served, scheme, clip, answer, state):
    """The real answer; only its verdict is exchanged, as no three clips give all three."""
    page = new_page(served.address, color_scheme=scheme)
    lines = [*answer[:-1], answer[-1] | VERDICTS[state]]
    body = "".join(json.dumps(line) + "\n" for line in lines)
    page.route("**/predict", lambda route: route.fulfill(body=body, content_type="application/x-ndjson"))
    page.locator("#file[multiple]").set_input_files(clip)
    expect(page.locator(f".verdict.{state.lower()}")).to_be_visible(timeout=ANSWER_MS)
    page.get_by_text("Show all").click()
    page.get_by_text("Play the clip").click()
    assert violations(page) == []


def test_no_face_an_error_and_two_side_by_side(new_page, served, scheme, temple, picture, tmp_path):
    page = new_page(served.address, color_scheme=scheme)
    Image.fromarray(temple).save(tmp_path / "temple.jpg")
    (tmp_path / "words.jpg").write_text("only words")
    page.locator("#file[multiple]").set_input_files([tmp_path / "temple.jpg", picture, tmp_path / "words.jpg"])
    files = page.get_by_role("region", name="Files").get_by_role("listitem")
    expect(files.nth(2)).to_contain_text("Unsupported media", timeout=ANSWER_MS)
    files.nth(0).locator(".open").click()
    expect(page.locator(".verdict.no-face")).to_be_visible()
    assert violations(page) == []
    files.nth(2).locator(".open").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert violations(page) == []
    for number in range(2):
        files.nth(number).get_by_role("checkbox").check()
    assert violations(page) == []


def test_the_report_and_a_refusal_without_script(new_page, served, scheme, clip, tmp_path):
    """Axe is a script: the pages that the form is answered with are asked for by one that may run them."""
    (tmp_path / "words.jpg").write_text("only words")
    for file, landmark in ((clip, "svg image"), (tmp_path / "words.jpg", "[role=alert]")):
        page = new_page(served.address, color_scheme=scheme)
        page.locator("#file[multiple]").evaluate("(field) => field.form.replaceWith(field.form.cloneNode(true))")
        page.locator("#file[multiple]").set_input_files(file)
        page.locator("form").evaluate("(form) => form.submit()")
        expect(page.locator(landmark).first).to_be_visible(timeout=ANSWER_MS)
        assert violations(page) == []
