"""`deepfake report` writes what `deepfake scan --report` would have written."""

import json
from pathlib import Path

import pytest
from deepfake_client.cli import make_report
from deepfake_client.report.html_report import html_report
from deepfake_client.report.row import Row
from deepfake_client.results import to_dict
from deepfake_contract.errors import DeepfakeError, UsageError


@pytest.fixture
def scanned(fake, tmp_path):
    """What a scan of two files printed."""
    path = tmp_path / "results.json"
    path.write_text("".join(json.dumps({"path": name} | to_dict(fake)) + "\n" for name in ("a.mp4", "b.mp4")))
    return path


def test_the_report_is_that_of_a_scan(scanned, fake, tmp_path):
    out = tmp_path / "out.html"
    assert make_report.main([str(scanned), "--output", str(out)]) == 0
    assert out.read_text() == html_report([Row(Path(name), fake) for name in ("a.mp4", "b.mp4")])


def test_it_lies_beside_the_results_where_no_place_is_named(scanned, capsys):
    make_report.main([str(scanned)])
    written = scanned.with_name("results.html")
    assert written.read_text().count("<article") == 2
    assert capsys.readouterr().out == f"{written}\n"


def test_wrong_results_leave_the_last_report(scanned, tmp_path):
    last = tmp_path / "results.html"
    last.write_text("the last one")
    scanned.write_text(scanned.read_text() + "{}\n")
    with pytest.raises(UsageError, match="line 3"):
        make_report.main([str(scanned)])
    assert last.read_text() == "the last one" and set(tmp_path.iterdir()) == {scanned, last}


def test_the_results_are_never_written_over(scanned):
    scanned = scanned.rename(scanned.with_name("results.html"))
    before = scanned.read_text()
    with pytest.raises(UsageError, match="--output"):
        make_report.main([str(scanned)])
    assert scanned.read_text() == before


def test_a_place_that_can_not_be_written_is_told(scanned, tmp_path):
    with pytest.raises(UsageError, match="no folder"):
        make_report.main([str(scanned), "--output", str(tmp_path / "none" / "out.html")])
    with pytest.raises(DeepfakeError, match="could not be written"):
        make_report.main([str(scanned), "--output", "/proc/out.html"])
