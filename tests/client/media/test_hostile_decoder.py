"""A decoding process that a file took over can't do harm by what it says."""

import os

import pytest
from deepfake_client.media import process
from deepfake_client.media.facts import Said
from deepfake_client.media.frame import Request
from deepfake_client.media.process import DecodingProcess
from deepfake_client.media.provenance import MAX_BY, MAX_CHARACTERS, MAX_DECLARED, MAX_PROBLEMS, TAGS
from deepfake_client.media.wire import Closed, Reader, pack
from deepfake_contract.errors import DeepfakeError

OPENED = {"kind": "image", "codec": "x", "width": 1, "height": 1, "duration_s": None, "frame_rate": None, "frames": 1}
OPENED |= {"tags": {"camera": "A camera"}}
CREDENTIALS = {"state": "unknown_signer", "signer": "A", "software": None, "signed_at": None, "trust_list": "list.pem"}
CREDENTIALS |= {"problems": []}
SAID = {"says": "generated", "source": "c2pa", "by": "A", "at": "2026-05-01T12:00:00Z", "ingredient": False}
UNSIGNED = SAID | {"source": "tags"}
FRAME = {"index": 0, "time_s": 0.0, "width": 2, "height": 1}


@pytest.fixture
def say(tmp_path, monkeypatch):
    """Starts a decoding process that says this and ends."""

    def say(*words: bytes, code: int = 0) -> DecodingProcess:
        (tmp_path / "words").write_bytes(b"".join(words))
        script = tmp_path / "python"
        script.write_text(f'#!/bin/sh\ncat "{tmp_path}/words"\nexit {code}\n')
        script.chmod(0o755)
        monkeypatch.setattr(process.sys, "executable", str(script))
        descriptor = os.open(tmp_path / "words", os.O_RDONLY)
        return DecodingProcess(Request(descriptor, "video", "mov", "even", 2, 100, 10, 1 << 30, 10, "/a/list.pem"), 10)

    return say


def test_honest_words_are_understood(say):
    about = [pack({"credentials": CREDENTIALS}), pack({"signed": [SAID]})]
    about += [pack({"opened": OPENED | {"declared": [UNSIGNED]}})]
    words = [*about, pack({"warning": "hm"}), pack({"frame": FRAME}), bytes(6), pack({"end": True})]
    with say(*words) as child:
        assert child.credentials().signer == "A"
        assert child.signed() == [Said(**SAID)]
        opened = child.opened()
        assert (opened.width, opened.declared) == (1, [Said(**UNSIGNED)])
        assert [frame.image.shape for frame in child.frames()] == [(1, 2, 3)]
        assert child.warnings == ["hm"]


@pytest.mark.parametrize(
    "word",
    [
        {"opened": OPENED | {"more": 1}},
        {"opened": 7},
        {"opened": {}},
        {"frame": FRAME | {"width": 10**9}},
        {"frame": FRAME | {"width": -1, "height": -1}},
        {"frame": FRAME | {"width": "2"}},
        {"frame": FRAME | {"width": 2.5}},
        {"frame": {"index": 0}},
        {"frame": 5},
        {"something": "else"},
        {"warning": ["a list"]},
    ],
    ids=str,
)
def test_nonsense_is_refused(say, word):
    with say(pack(word), bytes(6)) as child, pytest.raises(DeepfakeError, match="not understood"):
        child.opened() if "opened" in word else next(child.frames())


@pytest.mark.parametrize(
    "word", [b"\xff\xfe\n", b"[]\n", b"null\n", b"{\n", b"[" * 60_000 + b"\n", b"9" * 5000 + b"\n"]
)
def test_what_is_no_message_is_refused(say, word):
    with say(word) as child, pytest.raises(DeepfakeError):
        child.opened()


@pytest.mark.parametrize(
    "tags",
    [
        7,
        ["camera"],
        {"camera": 7},
        {"camera": ""},
        {"camera": "x" * 301},
        {"camera": "two\nlines"},
        {"camera": "\x1b[2J"},
        {"place": "here"},
    ],
    ids=str,
)
def test_nonsense_tags_are_refused(say, tags):
    with say(pack({"opened": OPENED | {"tags": tags}})) as child, pytest.raises(DeepfakeError, match="not understood"):
        child.opened()


@pytest.mark.parametrize(
    "part",
    [
        {"more": 1},
        {"state": "authentic"},
        {"state": ["none"]},
        {"state": "trusted", "trust_list": None},
        {"trust_list": "another.pem"},
        {"signer": 7},
        {"signer": ""},
        {"signer": "x" * 301},
        {"software": "two\nlines"},
        {"signed_at": ["a list"]},
        {"problems": "text"},
        {"problems": [7]},
        {"problems": ["x"] * 9},
        {"problems": ["x" * 301]},
    ],
    ids=str,
)
def test_nonsense_credentials_are_refused(say, part):
    word = pack({"credentials": CREDENTIALS | part})
    with say(word) as child, pytest.raises(DeepfakeError, match="not understood"):
        child.credentials()


@pytest.mark.parametrize(
    "part",
    [
        {"more": 1},
        {"says": "authentic"},
        {"says": ["generated"]},
        {"source": "nobody"},
        {"source": "tags"},
        {"by": ""},
        {"by": 7},
        {"by": "x" * 101},
        {"by": "two\nlines"},
        {"at": "yesterday"},
        {"at": "2026-05-01T12:00:00Z (signed by all)"},
        {"at": "2026:05:01"},
        {"at": 7},
        {"ingredient": 1},
        {"sentence": "It is real."},
        {"signature": "trusted"},
    ],
    ids=str,
)
def test_nonsense_declarations_are_refused(say, part):
    with say(pack({"signed": [SAID | part]})) as child, pytest.raises(DeepfakeError, match="not understood"):
        child.signed()


@pytest.mark.parametrize("said", [7, {}, "text", [7], [[]], [{}], [SAID] * 9], ids=lambda said: str(said)[:20])
def test_what_is_no_list_of_declarations_is_refused(say, said):
    with say(pack({"signed": said})) as child, pytest.raises(DeepfakeError, match="not understood"):
        child.signed()


@pytest.mark.parametrize("part", [{"source": "c2pa"}, {"ingredient": True}], ids=str)
def test_tags_can_not_pass_for_signed(say, part):
    word = pack({"opened": OPENED | {"declared": [UNSIGNED | part]}})
    with say(word) as child, pytest.raises(DeepfakeError, match="not understood"):
        child.opened()


@pytest.mark.parametrize("word", [{"credentials": 7}, {"credentials": {}}, {"opened": OPENED}, {"end": True}], ids=str)
def test_credentials_that_do_not_come_first_are_refused(say, word):
    with say(pack(word)) as child, pytest.raises(DeepfakeError, match="not understood"):
        child.credentials()


def test_the_longest_credentials_fit_a_message(say):
    longest = "\U0001f4f7" * MAX_CHARACTERS
    said = dict.fromkeys(("signer", "software", "signed_at"), longest) | {"problems": [longest] * MAX_PROBLEMS}
    with say(pack({"credentials": CREDENTIALS | said})) as child:
        assert child.credentials().problems == [longest] * MAX_PROBLEMS


def test_the_longest_tags_and_declarations_fit_a_message(say):
    tags = dict.fromkeys(TAGS, "\U0001f4f7" * MAX_CHARACTERS)
    said = [UNSIGNED | {"says": "partly_generated", "by": "\U0001f4f7" * MAX_BY}] * MAX_DECLARED
    with say(pack({"opened": OPENED | {"tags": tags, "declared": said}})) as child:
        opened = child.opened()
    assert (opened.tags, len(opened.declared)) == (tags, MAX_DECLARED)


def test_more_frames_than_were_asked_for_are_refused(say):
    with say(*[pack({"frame": FRAME}), bytes(6)] * 4) as child, pytest.raises(DeepfakeError, match="not understood"):
        list(child.frames())


def test_endless_warnings_are_refused(say):
    with say(pack({"warning": "again"}) * 1000) as child, pytest.raises(DeepfakeError, match="not understood"):
        child.opened()


def test_error_of_any_name_is_one_of_ours(say):
    for name in ("SystemExit", "DeepfakeError", "BusyError", "__import__"):
        with say(pack({"error": name, "text": "words."})) as child, pytest.raises(DeepfakeError, match=r"words\."):
            child.opened()


def test_end_in_the_middle_of_a_frame_is_told(say):
    with say(pack({"frame": FRAME}), bytes(3), code=3) as child, pytest.raises(DeepfakeError, match="exit code 3"):
        list(child.frames())


def test_line_without_end_is_given_up(say):
    with say(b"x" * 1_000_000) as child, pytest.raises(DeepfakeError):
        child.opened()


def test_message_ends_where_its_line_ends():
    reading, writing = os.pipe()
    os.write(writing, pack({"a": 1}) + pack({"b": 2}))
    os.close(writing)
    reader = Reader(reading, 5)
    assert [reader.message(), reader.message()] == [{"a": 1}, {"b": 2}]
    with pytest.raises(Closed):
        reader.message()
    os.close(reading)
