"""What a scan prints."""

import csv
import io
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from deepfake_client.cli.output import CSV_COLUMNS, CsvReport, JsonReport, TableReport
from deepfake_client.media.facts import Credentials, Said
from deepfake_client.media.provenance import declarations
from deepfake_client.report.plain_text import shown
from deepfake_client.report.row import Row
from deepfake_client.results import Result, TrackResult
from deepfake_contract.errors import DamagedMediaError


def printed(report, *rows: Row) -> str:
    out = io.StringIO()
    writer = report(out)
    for row in rows:
        writer.add(row)
    writer.close()
    return out.getvalue()


def failure(path: str) -> Row:
    return Row(Path(path), error=DamagedMediaError("It has no frames."))


def test_json_is_the_rest_result_and_the_path_one_object_a_line(fake):
    lines = printed(JsonReport, Row(Path("a\nb.mp4"), fake), failure("c.mp4")).splitlines()
    first, second = (json.loads(line) for line in lines)
    assert first["path"] == "a\nb.mp4" and first["label"] == "FAKE" and first["confidence"] == 0.9
    assert second == {
        "path": "c.mp4",
        "error": {"title": "Nothing to analyse", "status": 422, "detail": "It has no frames."},
    }


def test_json_leaves_out_maps_that_were_not_asked_for(fake):
    (face,) = json.loads(printed(JsonReport, Row(Path("a"), fake)))["frames"][0]["faces"]
    assert "heatmap" not in face and face["track"] == 1


def test_csv_has_a_row_a_file_failures_included(fake):
    rows = list(csv.DictReader(io.StringIO(printed(CsvReport, Row(Path("a,b.mp4"), fake), failure("c.mp4")))))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert (rows[0]["path"], rows[0]["label"], rows[0]["reasons"], rows[0]["error"]) == (
        "a,b.mp4", "FAKE", "few_faces", "",
    )  # fmt: skip
    assert (rows[1]["path"], rows[1]["label"], rows[1]["error"]) == ("c.mp4", "", "It has no frames.")


@pytest.fixture
def declaring(fake) -> Result:
    said = [Said("origin", "tags", "A camera"), Said("generated", "iptc"), Said("edited", "c2pa", "=A program")]
    declared = declarations(said, Credentials("trusted", "An agency", None, None, "list.pem", []))
    return replace(fake, provenance=replace(fake.provenance, declared=declared))


def test_the_table_has_what_a_file_declares_below_its_verdict(fake, declaring):
    text = " ".join(printed(TableReport, Row(Path("a"), declaring)).split())
    told = "The file says in IPTC's digital source type that it was made by generative AI. Anyone can write this."
    edited = (
        "The file says that it was edited, with “=A program” (signed by “An agency”, on the trust list “list.pem”)."
    )
    assert "A camera" not in text  # most files name one
    for word in f"{told} {edited}".split():
        assert word in text
    assert "The file says" not in printed(TableReport, Row(Path("a"), fake))


def test_csv_has_all_that_a_file_declares(fake, declaring):
    output = printed(CsvReport, Row(Path("a"), declaring), Row(Path("b"), fake))
    first, second = csv.DictReader(io.StringIO(output))
    assert first["declared"] == " ".join(each.sentence for each in declaring.provenance.declared)
    assert (first["declared"].count("The file says"), second["declared"]) == (3, "")


def test_the_table_says_uncertain_where_the_certainty_is_low_and_why(fake):
    text = printed(TableReport, Row(Path("a.mp4"), fake), failure("c.mp4"))
    assert "Uncertain (faces in few frames)" in text
    assert "0.90" in text and "Not analysed: It has no frames." in text


def test_the_table_counts_people_and_none_where_whole_frames_are_analysed(fake):
    (frame,) = fake.frames
    whole = replace(fake, tracks=[], frames=[replace(frame, faces=[replace(frame.faces[0], track=None)])])
    nobody = replace(fake, tracks=[], frames=[replace(frame, faces=[])])
    one = replace(fake, tracks=[TrackResult(1, 0.9, 1, 0.0, 0.0)])
    head, *lines = printed(TableReport, *(Row(Path("a"), each) for each in (one, whole, nobody))).splitlines()
    assert head.split()[-2] == "People" and [line.split()[-2] for line in lines[:3]] == ["1", "–", "0"]


def test_the_table_explains_its_numbers(fake):
    text = " ".join(printed(TableReport, Row(Path("a.mp4"), fake)).split())
    assert "the threshold is 0.50" in text and "4.0 of 100" in text and "not proof that it is real" in text


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("\x1b[2J\x1b]0;title\x07.mp4", "\\x1b[2J\\x1b]0;title\\x07.mp4"),
        ("a\r\nb.mp4", "a\\r\\nb.mp4"),
        ("a\u202e4pm.mp4", "a\\u202e4pm.mp4"),
        ("Gesicht ü.mp4", "Gesicht ü.mp4"),
    ],
)
def test_names_with_control_characters_are_shown_escaped(name, safe):
    assert shown(Path(name)) == safe


def test_names_that_are_not_utf8_are_shown(fake):
    path = Path(os.fsdecode(b"\xff.mp4"))
    assert shown(path) == json.loads(printed(JsonReport, Row(path, fake)))["path"] == "\\xff.mp4"


def test_names_with_markup_are_shown_as_they_are(fake):
    assert "[red]x[/red].mp4" in printed(TableReport, Row(Path("[red]x[/red].mp4"), fake))
