"""A result's frames as a table, and cells that no spreadsheet calculates."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from deepfake_client.cli.output import CsvReport, Row
from deepfake_client.report.frames_csv import COLUMNS, frames_csv
from deepfake_client.report.plain_text import spreadsheet_safe
from deepfake_contract.errors import DamagedMediaError

FORMULAS = ["=1+1", "+1", "-i.mp4", "@SUM(A1)", '=HYPERLINK("http://example.org","x")', "＝1"]


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def clip_result(fake, face, frames):
    return replace(fake, frames=frames([face(0.25, track=1), face(0.75, track=2)], []))


def test_each_face_of_each_frame_is_a_row(clip_result):
    first, second, _ = read(frames_csv("a.mp4", clip_result))
    assert tuple(first) == COLUMNS
    assert (first["index"], first["confidence"], first["track"], first["face_confidence"]) == ("0", "0.75", "1", "0.25")
    assert (second["track"], second["face_confidence"], second["swin"]) == ("2", "0.75", "0.75")
    assert [second[each] for each in ("x", "y", "width", "height")] == ["10.0", "10.0", "80.0", "100"]


def test_a_face_that_the_edge_cuts_is_told(fake, face, frames):
    rows = read(frames_csv("a.mp4", replace(fake, frames=frames([face(0.25), face(0.75, cut=True)]))))
    assert [(row["confidence"], row["cut"]) for row in rows] == [("0.25", "false"), ("0.25", "true")]


def test_a_frame_without_a_face_is_a_row_with_empty_cells(clip_result):
    row = read(frames_csv("a.mp4", clip_result))[-1]
    filled = {name for name, cell in row.items() if cell}
    assert filled == {"file", "index", "time_s"} and (row["index"], row["time_s"]) == ("30", "1.0")


@pytest.mark.parametrize("text", [*FORMULAS, "\t=1", "\r=1", "\n=1"])
def test_text_that_begins_like_a_formula_gets_an_apostrophe(text):
    assert spreadsheet_safe(text) == "'" + text


@pytest.mark.parametrize("text", ["clip.mp4", "a=b", "1-2", "", "'"])
def test_other_text_stays_as_it_is(text):
    assert spreadsheet_safe(text) == text


@pytest.mark.parametrize("name", FORMULAS)
def test_a_name_is_no_formula_in_the_table_of_frames(clip_result, name):
    assert read(frames_csv(name, clip_result))[0]["file"] == "'" + name


@pytest.mark.parametrize("name", FORMULAS)
def test_a_name_or_an_error_is_no_formula_in_the_table_of_a_scan(fake, name):
    out = io.StringIO()
    report = CsvReport(out)
    report.add(Row(Path(name), fake))
    report.add(Row(Path("a"), error=DamagedMediaError(name)))
    first, second = read(out.getvalue())
    assert first["path"] == "'" + name.replace("//", "/") and second["error"] == "'" + name


@pytest.mark.parametrize("name", ["写真\u3000一.jpg", "3.45.00\u202fPM.jpg", "é\xa0x.jpg", "👨\u200d👩.jpg"])
def test_names_in_any_writing_stay_as_they_are(clip_result, name):
    assert read(frames_csv(name, clip_result))[0]["file"] == name


def test_names_that_break_lines_or_turn_text_round_are_escaped(clip_result):
    text = frames_csv("a\n=1\u202e,b.mp4", clip_result)
    assert len(text.splitlines()) == 4
    assert read(text)[0]["file"] == "a\\n=1\\u202e,b.mp4"
