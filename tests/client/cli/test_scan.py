"""`deepfake scan` through a real Triton: what it prints, and its exit codes."""

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from deepfake_client.cli import make_report, scan
from deepfake_client.report.row import Row
from deepfake_contract.errors import DeepfakeError, UsageError
from PIL import Image


@pytest.fixture
def run(triton, capsys):
    """Scans in this process; gives exit code and standard output."""
    before = signal.getsignal(signal.SIGTERM)

    def call(*arguments: object) -> tuple[int, str]:
        code = scan.main(["--triton", triton, *map(str, arguments)])
        return code, capsys.readouterr().out

    yield call
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def pictures(tmp_path, astronaut, temple) -> Path:
    """A folder: a face, a picture without one below, a text, a broken picture, a hidden file."""
    folder = tmp_path / "pictures"
    (folder / "below").mkdir(parents=True)
    Image.fromarray(astronaut).save(folder / "face.jpg")
    Image.fromarray(temple).save(folder / "below" / "temple.png")
    (folder / "text.mp4").write_text("a text\n")
    (folder / "broken.jpg").write_bytes((folder / "face.jpg").read_bytes()[:200])
    (folder / ".hidden").write_text("x")
    return folder


def test_a_folder_gives_one_json_line_a_file_in_order_failures_included(run, pictures):
    code, out = run("--json", pictures)
    rows = {Path(row["path"]).name: row for row in map(json.loads, out.splitlines())}
    assert list(rows) == ["broken.jpg", "face.jpg", "text.mp4", "temple.png"]
    assert rows["face.jpg"]["frames_processed"] == 1 and rows["face.jpg"]["label"] in ("REAL", "FAKE")
    assert rows["temple.png"]["label"] == "NO FACE"
    assert (rows["text.mp4"]["error"]["status"], rows["broken.jpg"]["error"]["status"]) == (415, 422)
    assert code == 3


def test_a_folder_without_files_is_a_usage_error(run, tmp_path):
    with pytest.raises(UsageError, match="no files"):
        run(tmp_path)


def test_a_file_whose_reading_fails_is_a_row(run):
    code, out = run("--json", "/proc/self/mem")
    assert "could not be read" in json.loads(out)["error"]["detail"]
    assert code == 3


def test_options_for_a_triton_that_is_started_do_not_go_with_a_running_one(run, pictures):
    with pytest.raises(SystemExit) as end:
        run("--gpu", pictures)
    assert end.value.code == 2


def test_a_scan_of_readable_files_exits_with_0(run, pictures):
    assert run(pictures / "face.jpg", pictures / "below")[0] == 0


def test_csv_has_a_line_a_file(run, pictures):
    rows = list(csv.DictReader(io.StringIO(run("--csv", pictures)[1])))
    assert [bool(row["error"]) for row in rows] == [True, False, True, False]
    assert rows[1]["label"] in ("REAL", "FAKE") and 0 <= float(rows[1]["confidence"]) <= 1


def test_the_table_names_every_file(run, pictures):
    out = run(pictures)[1]
    assert all(name in out for name in ("face.jpg", "temple.png", "text.mp4", "broken.jpg"))
    assert "No face to analyse" in out and out.count("Not analysed") == 2


def test_fail_on_fake_exits_with_1_when_something_is_fake(fake):
    assert scan.exit_code(Row(Path("a"), fake), "fake") == 1
    assert scan.exit_code(Row(Path("a"), replace(fake, label="REAL")), "fake") == 0
    assert scan.exit_code(Row(Path("a"), fake), None) == 0


def test_a_missing_file_has_a_row_and_exits_with_3(run, tmp_path):
    code, out = run("--json", tmp_path / "nothing.mp4")
    assert code == 3 and json.loads(out)["error"]["detail"]


def test_names_that_look_like_options_or_have_line_breaks_are_files(run, pictures):
    odd = [pictures / "-i.jpg", pictures / "a\r\nb.jpg"]
    for path in odd:
        shutil.copy(pictures / "face.jpg", path)
    code, out = run("--json", *odd)
    assert code == 0 and [json.loads(line)["path"] for line in out.splitlines()] == [str(path) for path in odd]


def test_heatmaps_are_in_the_json_when_asked_for(run, pictures):
    (frame,) = json.loads(run("--json", "--heatmaps", pictures / "face.jpg")[1])["frames"]
    assert len(frame["faces"][0]["heatmap"]) == 7 and frame["thumbnail"]


def test_a_report_is_a_page_of_all_files_beside_what_is_printed(run, pictures, tmp_path):
    out = tmp_path / "out.html"
    code, printed = run("--json", "--report", out, pictures)
    page = out.read_text()
    assert code == 3 and page.count("<article") == 4 and page.count("Not analysed: ") == 2
    assert page.count('class="map"') == 2  # of one face, in its frame and enlarged
    assert "thumbnail" not in printed and "heatmap" not in printed
    result = next(row for row in map(json.loads, printed.splitlines()) if row["path"].endswith("face.jpg"))
    assert result["media"]["sha256"] in page
    for network, title in result["model"]["titles"].items():
        assert title in page and f"{result['networks'][network]:.2f}" in page


def test_a_report_that_is_made_later_is_the_one_of_the_scan(run, pictures, face_clip, tmp_path):
    at_once, later, kept = tmp_path / "at_once.html", tmp_path / "later.html", tmp_path / "kept.json"
    odd = pictures / os.fsdecode(b"\xff.jpg")
    shutil.copy(pictures / "face.jpg", odd)
    kept.write_text(run("--json", "--heatmaps", "--report", at_once, pictures, face_clip)[1])
    make_report.main([str(kept), "--output", str(later)])
    assert later.read_text() == at_once.read_text()
    assert later.read_text().count("<article") == 6


def test_a_report_takes_the_place_of_the_last_one_and_is_not_scanned(run, pictures):
    out = pictures / "out.html"
    out.write_text("an old report")
    _, printed = run("--json", "--report", out, pictures / "face.jpg", pictures)
    assert "out.html" not in printed and len(printed.splitlines()) == 5
    assert out.read_text().count("<article") == 5


@pytest.mark.parametrize(
    ("name", "said"), [("none/out.html", "no folder"), ("out.mp4", "ends with .html"), ("folder.html", "not a file")]
)
def test_a_report_that_can_not_be_written_is_refused_before_any_work(pictures, tmp_path, monkeypatch, name, said):
    (tmp_path / "folder.html").mkdir()
    monkeypatch.setattr(scan, "_scan", lambda *_: pytest.fail("work was begun"))
    with pytest.raises(UsageError, match=said):
        scan.main(["--report", str(tmp_path / name), str(pictures)])


def test_a_scan_that_is_interrupted_leaves_the_last_report_and_nothing_else(run, pictures, tmp_path, monkeypatch):
    folder = tmp_path / "reports"
    folder.mkdir()
    out = folder / "out.html"
    out.write_text("an old report")
    seen = []

    def interrupt_the_second(row, _):
        seen.append(row)
        if len(seen) == 2:
            signal.raise_signal(signal.SIGTERM)
        return 0

    monkeypatch.setattr(scan, "exit_code", interrupt_the_second)
    assert run("--report", out, pictures)[0] == scan.INTERRUPTED
    assert out.read_text() == "an old report" and list(folder.iterdir()) == [out]


def test_a_report_that_fails_half_way_leaves_nothing(run, pictures, tmp_path, monkeypatch):
    def half(*_):
        yield "<!doctype html>"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("deepfake_client.report.report_file.document", half)
    folder = tmp_path / "reports"
    folder.mkdir()
    with pytest.raises(DeepfakeError, match="No space left"):
        run("--report", folder / "out.html", pictures / "face.jpg")
    assert list(folder.iterdir()) == []


def test_frames_says_how_many_are_looked_at(run, face_clip):
    assert json.loads(run("--json", "--frames", 5, face_clip)[1])["frames_processed"] == 5


@pytest.mark.parametrize("frames", [0, 1000])
def test_frames_out_of_bounds_are_a_usage_error(run, face_clip, frames):
    with pytest.raises(UsageError, match="--frames"):
        run("--frames", frames, face_clip)


def test_arguments_that_make_no_sense_exit_with_2(run):
    with pytest.raises(SystemExit) as ended:
        run("--json", "--csv", "x")
    assert ended.value.code == 2


def test_no_triton_exits_with_4_and_a_row_a_file(run, pictures, capsys):
    code = scan.main(["--triton", "127.0.0.1:9", "--json", str(pictures)])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 4 and [row["error"]["status"] for row in rows] == [503] * 4


def test_a_repository_that_is_none_exits_with_4_and_says_so(pictures, tmp_path):
    done = command("--repository", tmp_path, pictures)
    assert (done.returncode, done.stdout) == (4, "") and str(tmp_path) in done.stderr


def test_standard_output_carries_nothing_but_results(repository, pictures):
    done = command("--json", "--repository", repository, pictures / "face.jpg")
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 1
    assert json.loads(done.stdout)["path"] == str(pictures / "face.jpg")


def test_a_reader_that_goes_away_is_no_error_of_ours(triton, pictures):
    command = f"{sys.executable} -m deepfake_client.cli.dispatch scan"
    program = f"{command} --triton {triton} --json {pictures} {pictures} | head -n 1"
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert len(done.stdout.splitlines()) == 1 and "Traceback" not in done.stderr


def command(*arguments: object) -> subprocess.CompletedProcess:
    program = [sys.executable, "-m", "deepfake_client.cli.dispatch", "scan", *map(str, arguments)]
    return subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)
