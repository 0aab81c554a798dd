"""Cells that no spreadsheet calculates, and names that are shown as plain text."""

import csv
import io
from pathlib import Path

import pytest
from deepfake_client.cli.output import CsvReport
from deepfake_client.report.plain_text import plain, spreadsheet_safe
from deepfake_client.report.row import Row
from deepfake_contract.errors import DamagedMediaError

FORMULAS = ["=1+1", "+1", "-i.mp4", "@SUM(A1)", '=HYPERLINK("http://example.org","x")', "＝1"]


@pytest.mark.parametrize("text", [*FORMULAS, "\t=1", "\r=1", "\n=1"])
def test_text_that_begins_like_a_formula_gets_an_apostrophe(text):
    assert spreadsheet_safe(text) == "'" + text


@pytest.mark.parametrize("text", ["clip.mp4", "a=b", "1-2", "", "'"])
def test_other_text_stays_as_it_is(text):
    assert spreadsheet_safe(text) == text


@pytest.mark.parametrize("name", FORMULAS)
def test_a_name_or_an_error_is_no_formula_in_the_table_of_a_scan(fake, name):
    out = io.StringIO()
    report = CsvReport(out)
    report.add(Row(Path(name), fake))
    report.add(Row(Path("a"), error=DamagedMediaError(name)))
    first, second = csv.DictReader(io.StringIO(out.getvalue()))
    assert first["path"] == "'" + name.replace("//", "/") and second["error"] == "'" + name


@pytest.mark.parametrize("name", ["写真\u3000一.jpg", "3.45.00\u202fPM.jpg", "é\xa0x.jpg", "👨\u200d👩.jpg"])
def test_names_in_any_writing_stay_as_they_are(name):
    assert plain(name) == name


def test_names_that_break_lines_or_turn_text_round_are_escaped():
    assert plain("a\n=1\u202e,b.mp4") == "a\\n=1\\u202e,b.mp4"
