"""The report that people keep: what it says, and that it holds nothing else."""

import base64
import io
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from deepfake_client.analysis.prepare import result_of_faces
from deepfake_client.media.facts import Credentials, MediaInfo, Provenance, Said
from deepfake_client.media.provenance import declarations
from deepfake_client.report import report_file, words
from deepfake_client.report.html_report import html_report, report_css
from deepfake_client.report.row import Row
from deepfake_client.results import FaceResult, FrameResult, Result, TrackResult
from deepfake_contract.errors import DamagedMediaError
from PIL import Image

NETWORKS = {"first": 0.9, "second": 0.4, "third": 0.8}
TITLES = {"first": "The first", "second": "A second", "third": "Third"}
CONTRIBUTIONS = {"first": 1.5, "second": -0.5, "third": 0.75, "intercept": -0.05}
NAME = "clip.mp4"
HOSTILE = [
    "<script>alert(1)</script>.mp4",
    '"><img src=x onerror=alert(1)>',
    "' onload='alert(1)",
    '=HYPERLINK("http://example.org")',
    "</style><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "https://example.org/a.mp4",
]


class Page(HTMLParser):
    """Elements with their attributes, and the text outside the styles."""

    def __init__(self, html: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._in_style = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, {name: value or "" for name, value in attributes}))
        self._in_style = tag == "style"

    def handle_endtag(self, tag):
        self._in_style = False

    def handle_data(self, data):
        if not self._in_style:
            self.text += f"{data}\n"

    @property
    def words(self) -> str:
        return " ".join(self.text.split())

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        return [each for name, each in self.elements if name == tag and wanted.items() <= each.items()]


def assert_holds_only_ours(page: Page) -> None:
    assert not {"script", "iframe", "img", "object", "embed", "base", "form", "foreignobject"} & {
        tag for tag, _ in page.elements
    }
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
        for name in ("href", "src", "xlink:href", "action", "srcset", "data"):
            assert attributes.get(name, "#").startswith(("#", "data:image/jpeg;base64,", "data:image/png;base64,")) or (
                tag == "link" and attributes[name] == "data:,"
            )


def pixels(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


@pytest.fixture
def thumbnail() -> str:
    data = io.BytesIO()
    Image.new("RGB", (64, 48), "gray").save(data, "JPEG")
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()


@pytest.fixture
def seen(thumbnail, bundle) -> Callable[..., FrameResult]:
    """A frame of 640×480 at a second, with a face of each probability."""

    def make(second: int, *probabilities: float, strength: float = 1.0) -> FrameResult:
        cells = [[strength * (row - column) / 6 for column in range(7)] for row in range(7)]
        faces = [
            FaceResult(at, (100.0 * at, 50, 80, 90), (100.0 * at - 20, 30, 130, 130), 0.99, each, NETWORKS, cells)
            for at, each in enumerate(probabilities, 1)
        ]
        return result_of_faces(10 * second, float(second), faces, bundle.policy, thumbnail)

    return make


@pytest.fixture
def result(fake, seen) -> Result:
    """A clip with eight frames; one has two faces, one has none."""
    frames = [seen(at, 0.1 + at / 10) for at in range(6)] + [seen(6, 0.2, 0.95), seen(7)]
    return replace(
        fake,
        certainty="high",
        reasons=[],
        frames_processed=8,
        model=replace(fake.model, titles=TITLES),
        networks=NETWORKS,
        contributions=CONTRIBUTIONS,
        media=MediaInfo("ab" * 32, 1_234_567, "mov,mp4", "h264", 640, 480, 8.0, 29.97),
        frames=frames,
        tracks=[TrackResult(1, 0.33, 7, 0.0, 6.0), TrackResult(2, 0.95, 1, 6.0, 6.0)],
        method={"crop": "face with a margin of 0.05"},
    )


@pytest.fixture
def page() -> Callable[..., Page]:
    def make(result: Result, name: str = NAME) -> Page:
        return Page(html_report([Row(Path(name), result)]))

    return make


def test_the_verdict_stands_with_likelihood_threshold_and_error_rate(page, result):
    text = page(result).words
    assert "Strong sign of manipulation" in text and "They can be wrong" in text
    assert words.likelihood(result) in text


def test_what_identifies_file_and_model_is_there(page, result):
    text = page(result).words
    for fact in (NAME, "ab" * 32, "1,234,567 bytes", "2026-01-02 03:04:05 UTC", "640 × 480", "test 1", "sha256:00"):
        assert fact in text
    assert text.count("of the kinds it learnt from, 4.0 of 100 real ones") == 2 and "face with a margin of 0.05" in text


def test_contributions_have_a_sum_and_the_sum_no_likelihood_of_its_own(page, result):
    shown = re.search(r"What each network said.*? Sum ([+−][\d.]+)", page(result).words)
    parts = [float(each.replace("−", "-")) for each in re.findall(r"[+−]\d\.\d\d", shown[0])[:-1]]
    assert parts == list(CONTRIBUTIONS.values())
    assert shown[1] == "+1.70"


def test_networks_that_lean_to_different_sides_are_named(page, result):
    assert "The first and Third lean toward FAKE, A second leans toward REAL" in page(result).words
    agreeing = replace(result, networks=dict.fromkeys(NETWORKS, 0.7))
    assert "Each network on its own leans toward FAKE." in page(agreeing).words


def test_a_network_is_called_by_its_title_or_its_name_where_it_has_none(page, result):
    text = page(replace(result, model=replace(result.model, titles={"first": "A title"}))).words
    assert "A title 0.90" in text.replace(result.model.architectures["first"] + " ", "") and "third 0.80" in text


def test_a_state_is_told_by_word_and_shape(page, result):
    marks = set()
    unsure = replace(result, certainty="low", reasons=["near_threshold"])
    real, nothing = replace(result, label="REAL"), replace(result, label="NO FACE", confidence=None, certainty=None)
    for each in (result, unsure, real, nothing):
        page_of_it = page(each)
        assert words.STATES[words.state(each)][0] in page_of_it.words
        at = next(at for at, (tag, found) in enumerate(page_of_it.elements) if found.get("class") == "mark")
        marks.add(page_of_it.elements[at + 1][1]["d"])
    assert len(marks) == 4


def test_an_uncertain_result_has_its_reasons_and_its_label(page, result):
    text = page(replace(result, certainty="low", reasons=["near_threshold", "a_new_reason"])).words
    assert words.REASONS["near_threshold"][1] in text and "a_new_reason" in text
    assert "By the threshold alone the label is FAKE." in text and "Strong sign" not in text


def test_without_a_face_there_is_no_number_but_the_frame(page, result, seen):
    nothing = replace(
        result,
        label="NO FACE",
        confidence=None,
        certainty=None,
        networks=None,
        contributions=None,
        frames=[seen(0)] * 2,
    )
    found = page(nothing)
    assert "No face to analyse" in found.words and "Likelihood of manipulation" not in found.words
    assert len(found.all("figure")) == 1


def test_at_most_six_frames_are_shown_the_highest_first(page, result):
    captions = re.findall(r"(\d\.\d\d) at (\d\.\d\d) s · frame (\d+)", page(result).words)
    assert [each[0] for each in captions] == ["0.95", "0.60", "0.50", "0.40", "0.30", "0.20"]
    assert captions[0][1:] == ("6.00", "60")


def test_a_map_is_a_picture_of_seven_by_seven_orange_toward_fake_as_dense_as_strong(page, result, seen):
    weak, strong = seen(0, 0.9, strength=0.5), seen(1, 0.3, strength=-1.0)
    first, second = (
        pixels(each["href"])
        for each in page(replace(result, frames=[weak, strong])).all("image", **{"class": "map"})[::2]
    )
    assert first.size == (7, 7) and first.mode == "RGBA"
    assert first.getpixel((0, 6)) == (0xD5, 0x5E, 0x00, 128) and first.getpixel((6, 0)) == (0x00, 0x72, 0xB2, 128)
    assert second.getpixel((6, 0)) == (0xD5, 0x5E, 0x00, 255) and second.getpixel((3, 3))[3] == 0


@pytest.mark.parametrize("strength", [1e-300, 1e-3, 1e307])
def test_the_strongest_map_is_dense_however_strong(page, result, seen, strength):
    first, *_ = page(replace(result, frames=[seen(0, 0.9, strength=strength)])).all("image", **{"class": "map"})
    assert [pixels(first["href"]).getpixel((0, row))[3] for row in (0, 3, 6)] == [0, 128, 255]


def test_the_scale_of_the_maps_is_that_of_the_whole_result(page, result, seen):
    frames = [seen(at, 0.9) for at in range(6)] + [seen(6, 0.1, strength=4.5)]
    assert "−4.5 0 +4.5" in page(replace(result, frames=frames)).words


def test_the_timeline_has_a_mark_a_face_in_its_place_and_one_for_a_frame_without(page, result):
    found = page(result)
    marks = [(tag, each) for tag, each in found.elements]
    start = marks.index(("div", {"class": "timeline"}))
    end = next(at for at, (tag, each) in enumerate(marks) if each.get("class") == "legend")
    places = [each for tag, each in marks[start:end] if each.get("class") == "at"]
    assert len(places) == 1 + 8
    assert places[0]["x"] == "87.50%"  # without a face, 7 of 8 s
    assert (places[4]["x"], places[4]["y"]) == ("37.50%", "60.00%")  # 3 of 8 s, 0.4
    shapes = {each["d"] for tag, each in marks[start:end] if tag == "path"}
    assert len(shapes) == 3
    assert "Face 2: mean 0.95 in 1 frame" in found.words and "frame without a face (1)" in found.words


def test_a_picture_has_no_timeline(page, result, seen):
    picture = replace(result, file_type="image", frames=[seen(0, 0.9)], media=replace(result.media, duration_s=None))
    found = page(picture)
    assert not found.all("div", **{"class": "timeline"}) and "Duration" not in found.words


@pytest.mark.parametrize("seconds", [0.0, 0.04, 3.0, 119.0, 5400.0, 1e9])
def test_a_clip_of_any_length_has_few_ticks(page, result, seconds):
    media = replace(result.media, duration_s=seconds)
    found = page(replace(result, media=media, frames=[replace(result.frames[0], time_s=seconds)]))
    lines = [each for each in found.all("line", **{"class": "grid"}) if "y1" not in each]
    assert 1 <= len(lines) <= 7


def test_a_result_without_maps_and_thumbnails_is_shown_with_its_boxes(page, result):
    frames = [
        replace(frame, thumbnail=None, faces=[replace(face, heatmap=None) for face in frame.faces])
        for frame in result.frames
    ]
    found = page(replace(result, frames=frames))
    assert found.all("rect", **{"class": "over"}) and not found.all("image") and not found.all("input")


@pytest.mark.parametrize("state", list(words.CREDENTIALS))
def test_content_credentials_are_told_in_words(page, result, state):
    credentials = Credentials(state, "An <b>agency</b>", "A camera", "2026-01-01T00:00:00+00:00", "The list", ["a.b"])
    text = page(replace(result, provenance=Provenance({"camera": "X <1>"}, credentials))).words
    assert all(sentence in text for sentence in words.CREDENTIALS[state])
    assert "X <1>" in text and words.PROVENANCE in text
    assert (state == "none") == (words.NO_CREDENTIALS_PROVE_NOTHING in text)
    assert (state != "none") == ("An <b>agency</b>" in text) == ("The list" in text) == ("a.b" in text)


def test_what_the_file_declares_is_told_beside_the_verdict_and_changes_nothing_in_it(page, result):
    said = [Said("generated", "c2pa", "A <b>painter</b>"), Said("origin", "tags", "A camera")]
    credentials = Credentials("unknown_signer", "An agency", None, None, "The list", [])
    declared = declarations(said, credentials)
    without, found = page(result), page(replace(result, provenance=Provenance({}, credentials, declared)))
    start = without.words.index("Strong sign of manipulation")
    verdict = without.words[start : without.words.index("What each network said")]
    told = " ".join(each.sentence for each in declared)
    assert "“A <b>painter</b>” (signed by “An agency”, not on the trust list “The list”" in told
    assert f"{verdict}{told} What each network said" in found.words
    assert [each["class"] for each in found.all("p") if "class" in each][:2] == [
        "declared generated",
        "declared origin",
    ]


def test_the_table_of_files_says_which_declare_generative_ai(result):
    def row(*said: Said) -> Row:
        provenance = Provenance({}, result.provenance.credentials, declarations(said, result.provenance.credentials))
        return Row(Path(NAME), replace(result, provenance=provenance))

    generated, camera = Said("generated", "iptc"), Said("origin", "tags", "A camera")
    html = html_report([row(camera, generated), row(camera), row()])
    table = Page(html[html.index("<table>") : html.index("<article")]).words
    sentence = "The file says in IPTC's digital source type that it was made by generative AI. Anyone can write this."
    assert sentence in table and table.count("The file says") == 1


def test_the_limits_of_the_method_are_there(page, result):
    text = page(result).words
    assert all(limit in text for limit in words.LIMITS)


def test_several_files_have_a_table_with_links_and_a_section_each_failures_included(result):
    rows = [Row(Path("a.mp4"), result), Row(Path("b.mp4"), error=DamagedMediaError("It has <no> frames."))]
    found = Page(html_report([*rows, Row(Path("c.mp4"), result)]))
    links = [each["href"] for each in found.all("a")]
    assert links == ["#file-1", "#file-2", "#file-3"] and {each["id"] for each in found.all("article")} == {
        link[1:] for link in links
    }
    assert "Not analysed: It has <no> frames." in found.words
    identifiers = [each["id"] for _, each in found.elements if "id" in each]
    assert len(identifiers) == len(set(identifiers))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_plain_text_wherever_it_stands(result, text):
    credentials = Credentials("broken", text, text, text, text, [text])
    hostile = replace(
        result,
        reasons=[text],
        certainty="low",
        warnings=[text],
        method={text: text},
        analysed_at=text,
        networks=NETWORKS | {text: 0.5},
        contributions=CONTRIBUTIONS | {text: 0.5},
        model=replace(
            result.model, name=text, version=text, digest=text, titles={"third": text}, architectures={"third": text}
        ),
        media=replace(result.media, sha256=text, container=text, codec=text),
        provenance=Provenance({text: text}, credentials, declarations([Said("generated", "c2pa", text)], credentials)),
    )
    rows = [Row(Path(text), hostile), Row(Path(text), error=DamagedMediaError(text))]
    found = Page(html_report(rows))
    assert_holds_only_ours(found)
    assert found.text.count(text) >= 16


def test_text_that_would_turn_round_or_break_lines_is_escaped(page, result):
    text = page(
        replace(result, provenance=Provenance({"software": "a\u202eb\x1b[2J"}, result.provenance.credentials)),
        "a\u202e4pm.mp4",
    ).text
    assert "a\\u202e4pm.mp4" in text and "a\\u202eb\\x1b[2J" in text
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x1b]", text)


def test_the_page_opens_without_network_and_forbids_it(page, result):
    found = page(result)
    assert_holds_only_ours(found)
    assert "url(" not in report_css() and "@import" not in report_css()
    (policy,) = found.all("meta", **{"http-equiv": "Content-Security-Policy"})
    assert policy["content"].startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'")
    assert len(found.all("style")) == 1 and report_css() in html_report([Row(Path(NAME), result)])


def test_with_a_stylesheet_of_its_own_nothing_is_inline(result):
    found = Page(html_report([Row(Path(NAME), result)], stylesheet="/report.css", back="/"))
    assert not found.all("style") and not found.all("meta", **{"http-equiv": "Content-Security-Policy"})
    assert found.all("link", rel="stylesheet", href="/report.css") and found.all("a", href="/")


def test_every_drawing_has_a_text_or_is_hidden_and_every_head_a_scope(page, result):
    found = page(result)
    drawings = [each for each in found.all("svg") if each.get("class") != "at"]
    assert drawings and all(
        (each.get("aria-label") and each["role"] == "img") or "aria-hidden" in each for each in drawings
    )
    assert all("scope" in each for each in found.all("th"))


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_a_report_written_in_pieces_is_the_same_whatever_their_size(result, tmp_path, monkeypatch, piece):
    rows = [Row(Path("a.mp4"), result), Row(Path("b.mp4"), result)]
    monkeypatch.setattr(report_file, "PIECE", piece)
    with report_file.html_report_file(tmp_path / "report.html") as add:
        for row in rows:
            add(row)
    assert (tmp_path / "report.html").read_text() == html_report(rows)


@pytest.mark.parametrize(("value", "text"), [(0.9961, "> 0.99"), (0.004, "< 0.01"), (0.5, "0.50")])
def test_a_likelihood_is_never_certainty(page, result, value, text):
    assert f"Likelihood of manipulation: {text} on a scale" in page(replace(result, confidence=value)).words


def test_every_reference_within_the_page_leads_somewhere(page, result):
    found = page(result)
    identifiers = {each["id"] for _, each in found.elements if "id" in each}
    references = {each["href"][1:] for _, each in found.elements if each.get("href", "").startswith("#")}
    assert references and references <= identifiers
