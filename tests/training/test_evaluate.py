"""A detector evaluated on made-up files, by the pipeline that serves."""

import csv
import errno
import json
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import CLONE, write_clip
from deepfake_contract.description import BundleDescription, Identity
from deepfake_contract.errors import BundleError, UnavailableError, UsageError
from deepfake_contract.stacking import Stacking
from deepfake_networks.bundle import describe
from deepfake_networks.profiles import LITE, LITE_POLICY
from deepfake_training.data import Sample
from deepfake_training.evaluate import main
from deepfake_training.findings import error_correlation, find, find_kinds
from deepfake_training.kinds import KINDS, SWAP
from deepfake_training.one_class import OneClass, find_one_class
from deepfake_training.predictions import Prediction, frame_scores, predict, y_scores
from deepfake_training.report import write_all
from deepfake_training.subset_findings import find_subsets
from deepfake_training.subsets import aucs
from PIL import Image

NAMES = ("one", "other", "half")
SOME = [
    Sample(Path(f"{number}.png"), number % 2 == 1, "ab"[number // 4], str(number), name=f"{number}.png")
    for number in range(8)
]
NONE = Prediction(None, None, "NO FACE", "", 1, "no face")
BUNDLE = BundleDescription(
    Identity("some", "1"),
    "sha256:0",
    tuple(replace(LITE[0], name=name, weights=f"{name}.pth") for name in NAMES),
    LITE_POLICY,
    Stacking((0.0,) * 3, (1.0,) * 3, (1.0,) * 3, 0.0),
)


def prediction(y_score: float) -> Prediction:
    networks = dict(zip(NAMES, (y_score, 1 - y_score, 0.5), strict=True))
    return Prediction(y_score, networks, "FAKE" if y_score >= 0.5 else "REAL", "high", 1, "", None, (y_score,))


def test_no_answer_counts_as_wrong_as_can_be():
    scores = y_scores(SOME[:2], [NONE, NONE], NAMES)
    assert scores.shape == (2, 4)
    assert (scores[0] == 1).all() and (scores[1] == 0).all()


def test_findings_say_what_the_predictions_say():
    """Source a is told apart; in b every prediction is turned round."""
    predictions = [prediction(value) for value in (0.1, 0.9, 0.2, 0.8, 0.9, 0.1, 0.8, 0.2)]
    subsets = find_subsets(SOME, predictions, BUNDLE)
    aucs = {name: subset.systems["ensemble"].auc.value for name, subset in subsets.items()}
    assert aucs == {"a": 1.0, "b": 0.0, "all": 0.5}
    assert list(subsets["a"].systems) == ["ensemble", *NAMES]
    assert subsets["b"].gain.over == "other" and subsets["b"].gain.auc.value == -1


def test_a_source_of_reals_alone_says_how_many_are_called_fake_and_has_no_auc():
    """Three of four are answered, one of these from the threshold up; the source beside it has both classes."""
    reals = [replace(sample, fake=False, source="controls") for sample in SOME[:4]]
    predictions = [prediction(0.6), prediction(0.2), prediction(0.1), NONE, *map(prediction, (0.1, 0.9, 0.2, 0.8))]
    samples = [*reals, *SOME[4:]]
    policy = replace(BUNDLE.policy, fake_from=0.9, real_below=0.15)
    made = find_one_class(samples, predictions, policy)
    assert list(made) == ["controls"] and list(find_subsets(samples, predictions, BUNDLE)) == ["b", "all"]
    of = made["controls"]
    assert (of.label, of.files, of.without_answer) == ("real", 4, 1)
    assert of.called_fake.value == of.strong_real.value == pytest.approx(1 / 3) and of.strong_fake.value == 0
    assert of.called_fake.low > 0.06 and of.called_fake.high < 0.8
    assert find_one_class(samples, predictions, BUNDLE.policy)["controls"].strong_fake is None


def test_sources_of_one_class_are_counted_together_too():
    fakes = [replace(sample, fake=True) for sample in SOME]
    made = find_one_class(fakes, [prediction(0.9)] * 4 + [prediction(0.2)] * 4, BUNDLE.policy)
    assert {name: of.called_fake.value for name, of in made.items()} == {"a": 1.0, "b": 0.0, "all": 0.5}
    assert {of.label for of in made.values()} == {"fake"}


def test_a_source_without_any_answer_has_no_share():
    made = find_one_class([replace(sample, fake=False) for sample in SOME[:2]], [NONE, NONE], BUNDLE.policy)
    assert made["a"].called_fake is None and made["a"].without_answer == 2


def test_every_kind_of_fake_has_its_row():
    samples = [replace(sample, source="dfdc" if sample.source == "a" else "mine") for sample in SOME]
    alone = [*samples[:4], *(replace(sample, fake=True, kind=KINDS[1]) for sample in samples[4:])]
    predictions = [prediction(value) for value in (0.1, 0.9, 0.2, 0.8, 0.9, 0.9, 0.8, 0.2)]
    kinds = find_kinds(alone, predictions, BUNDLE)
    assert list(kinds) == list(KINDS) and kinds[SWAP].systems["ensemble"].auc.value == 1.0
    assert isinstance(kinds[KINDS[1]], OneClass) and kinds[KINDS[1]].called_fake.value == 0.75
    assert kinds[KINDS[2]] is None and kinds[KINDS[3]] is None


def test_frames_of_clips_are_counted_one_by_one():
    clip = replace(prediction(0.5), frame_scores=(0.2, 0.8))
    y_true, y_score = frame_scores(SOME[:3], [clip, prediction(0.9), NONE])
    assert y_true.tolist() == [False, False, True, False] and y_score.tolist() == [0.2, 0.8, 0.9, 1.0]
    predictions = [clip, prediction(0.7), *map(prediction, (0.1, 0.9))]
    (subset,) = find_subsets(SOME[:4], predictions, BUNDLE).values()
    assert subset.systems["ensemble"].auc.value == 1.0 and subset.frame_auc == pytest.approx(5 / 6)
    (pictures,) = find_subsets(SOME[:4], [*map(prediction, (0.1, 0.9, 0.1, 0.9))], BUNDLE).values()
    assert pictures.frame_auc is None


@pytest.mark.parametrize(
    ("thresholds", "said"),
    [
        ({}, "neither fake_from nor real_below: it never gives strong evidence"),
        ({"fake_from": 0.8}, "Of a fake from 0.8000; never of a real."),
        ({"fake_from": 0.8, "real_below": 0.2}, "Of a fake from 0.8000 and of a real below 0.2000."),
    ],
)
def test_the_report_says_what_strong_evidence_there_is(tmp_path, thresholds, said):
    bundle = replace(BUNDLE, policy=replace(BUNDLE.policy, **thresholds))
    samples = [*SOME[:4], *(replace(sample, fake=False, source="controls") for sample in SOME[4:])]
    predictions = [prediction(value) for value in (0.1, 0.9, 0.2, 0.8, 0.1, 0.1, 0.1, 0.1)]
    write_all(tmp_path, find(samples, predictions, bundle, "deepfake evaluate", "files", {}), [])
    report = (tmp_path / "report.md").read_text()
    assert said in report and "| controls | 4 real | 0 | 0.000 (0.000 to 0.490) |" in report
    assert f"| {KINDS[3]} | no data |" in report
    widths = [{line.count(" | ") for line in part.splitlines() if line.startswith("|")} for part in report.split("##")]
    assert all(len(width) < 2 for width in widths)
    evidence = json.loads((tmp_path / "figures.json").read_text())["strong_evidence"]
    assert list(evidence) == (["a", "controls", "mean of the sources"] if thresholds else [])


def test_a_colon_in_a_sources_name_does_not_make_it_a_method():
    some = [replace(sample, source=f"camera: {sample.source}") for sample in SOME]
    assert list(aucs(some, [prediction(0.5)] * len(some))) == ["camera: a", "camera: b", "all"]


def test_a_file_that_may_not_be_read_has_its_reason_and_ends_nothing():
    def prepare(sample: Sample) -> Path:
        raise PermissionError(errno.EACCES, "Permission denied", str(sample.path))

    (row,) = predict(SOME[:1], lambda: None, LITE_POLICY, prepare, "predicting")
    assert (row.y_score, row.reason) == (None, "The file could not be read: Permission denied.")


def test_intervals_are_drawn_by_group():
    """Of two groups that say the same, no draw of whole groups differs from another."""
    predictions = [prediction(value) for value in (0.1, 0.9, 0.9, 0.1, 0.1, 0.9, 0.9, 0.1)]
    whole = [replace(sample, source="s", group=str(at // 4)) for at, sample in enumerate(SOME)]
    apart = [replace(sample, source="s") for sample in SOME]
    both = [find_subsets(given, predictions, BUNDLE)["s"] for given in (whole, apart)]
    together, alone = (each.systems["ensemble"].auc for each in both)
    assert together.low == together.value == together.high == alone.value
    assert alone.low < alone.value < alone.high


@pytest.fixture(scope="module")
def labelled(astronaut, admiral, tmp_path_factory) -> Path:
    """Faces in pictures and a clip, a picture without a face and a damaged one, in two sources: their manifest."""
    folder = tmp_path_factory.mktemp("labelled")
    random = np.random.default_rng(0)
    for number in range(3):
        for label, face in (("real", astronaut[:260, 90:350]), ("fake", admiral[40:360, 100:420])):
            left, top = random.integers(0, 20, 2)
            (folder / label / "stills").mkdir(parents=True, exist_ok=True)
            Image.fromarray(face[top:, left:]).save(folder / label / "stills" / f"{number}.png")
    Image.fromarray(np.full((200, 200, 3), 128, np.uint8)).save(folder / "real" / "stills" / "wall.png")
    (folder / "fake" / "stills" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a picture")
    for label, face in (("real", astronaut), ("fake", admiral)):
        (folder / label / "clips").mkdir()
        frames = [np.ascontiguousarray(face[shift : 300 + shift, 80:380]) for shift in range(0, 8, 2)]
        write_clip(folder / label / "clips" / "clip.mp4", frames, rate=25)
    lines = ["path,label,source,group"]
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        label, source, _ = parts = path.relative_to(folder).parts
        lines.append(f"{'/'.join(parts)},{label},{source},{path.stem}")
    (folder / "files.csv").write_text("\n".join(lines) + "\n")
    return folder / "files.csv"


def run(folder: Path, data: Path, *options: str) -> tuple[dict, dict[str, dict]]:
    assert main([str(data), "--output", str(folder), *options]) == 0
    with (folder / "predictions.csv").open(newline="") as lines:
        rows = {row["path"]: row for row in csv.DictReader(lines)}
    return json.loads((folder / "figures.json").read_text()), rows


@pytest.fixture(scope="module")
def through_torch(labelled, tmp_path_factory) -> tuple[Path, dict, dict[str, dict]]:
    folder = tmp_path_factory.mktemp("torch")
    return folder, *run(folder, labelled, "--robustness")


def test_every_file_has_a_row_and_failures_say_why(through_torch):
    _, figures, rows = through_torch
    assert len(rows) == 10
    assert rows["real/stills/wall.png"]["reason"] == "no face"
    assert {row["y_true"] for name, row in rows.items() if name.startswith("fake/")} == {"1"}
    assert {row["y_true"] for name, row in rows.items() if name.startswith("real/")} == {"0"}
    assert rows["fake/stills/broken.jpg"]["reason"] and not rows["fake/stills/broken.jpg"]["y_score"]
    assert all(row["y_score"] for row in rows.values() if not row["reason"])
    assert figures["data"]["without_answer"] == 2
    assert figures["subsets"]["stills"]["without_answer"] == 2


def test_clips_are_answered_from_many_frames(through_torch):
    rows = through_torch[2]
    assert {rows[f"{label}/clips/clip.mp4"]["frames"] for label in ("real", "fake")} == {"4"}
    assert through_torch[1]["subsets"]["clips"]["frame_auc"] is not None
    assert through_torch[1]["subsets"]["stills"]["frame_auc"] is None


def test_the_findings_are_written_as_tables_and_plots(through_torch):
    folder, figures, _ = through_torch
    report = (folder / "report.md").read_text()
    assert figures["model"]["digest"] in report and "deepfake evaluate" in report
    assert "JPEG 30" in report and "H.264 CRF 40" in report
    for name in ("roc", "reliability", "risk-coverage", "robustness"):
        assert (folder / f"{name}.svg").stat().st_size > 1000 and f"{name}.svg" in report
        assert Image.open(folder / f"{name}.png").width > 400
    assert (folder / "predictions-scale-0.25.csv").exists()


def test_degraded_clips_and_pictures_are_asked_about_apart(through_torch):
    robustness = through_torch[1]["robustness"]
    assert robustness["JPEG 50"].keys() == {"stills"}
    assert robustness["H.264 CRF 32"].keys() == {"clips"}


def test_what_degradation_costs_is_counted_over_the_same_files(through_torch):
    _, figures, _ = through_torch
    plain = figures["subsets"]["stills"]["systems"]["ensemble"]["auc"]["value"]
    assert figures["robustness"]["JPEG 90"]["stills"]["plain"] == pytest.approx(plain)
    plain = figures["subsets"]["clips"]["systems"]["ensemble"]["auc"]["value"]
    assert figures["robustness"]["H.264 CRF 23"]["clips"]["plain"] == pytest.approx(plain)


def test_the_rules_of_certainty_are_measured(through_torch):
    """One picture and one clip of each label are far too few to propose a number."""
    folder, figures, _ = through_torch
    rules = {(each["rule"], each["codec"]): each for each in figures["certainty"]}
    assert rules["few_face_frames", ""]["marked"]["answers"] + rules["few_face_frames", ""]["others"]["answers"] == 2
    assert rules["strong_compression", "h264"]["number"] == 0.012
    spread = rules["network_spread", ""]
    assert spread["marked"]["answers"] + spread["others"]["answers"] == 8
    assert all(each["proposed"] is None for each in rules.values())
    text = (folder / "certainty.toml").read_text()
    assert "# network_spread: no rule" in text and tomllib.loads(text) == {"policy": {"certainty": {}}}
    assert "| few_face_share | 0.25 |" in (folder / "report.md").read_text()


def test_networks_that_fail_together_on_faceless_files_are_not_called_alike():
    random = np.random.default_rng(0)
    some = [
        Prediction(value, dict(zip(NAMES, random.random(3), strict=True)), "REAL", "high", 1, "")
        for value in random.random(7)
    ]
    alone = error_correlation(SOME[:7], some, NAMES)
    assert alone and error_correlation(SOME, [*some, NONE], NAMES) == alone
    assert error_correlation(SOME[:7], some, NAMES[:1]) is None


def test_files_of_one_label_are_evaluated(tmp_path, astronaut, admiral, triton, capsys):
    (tmp_path / "mine" / "real").mkdir(parents=True)
    for name, picture in (("astronaut", astronaut), ("admiral", admiral)):
        Image.fromarray(picture).save(tmp_path / "mine" / "real" / f"{name}.png")
    figures, rows = run(tmp_path / "out", tmp_path / "mine", "--triton", triton)
    assert figures["subsets"] == {} and list(figures["one_class"]) == ["mine"]
    called = sum(row["predicted"] == "FAKE" for row in rows.values()) / 2
    assert figures["one_class"]["mine"]["called_fake"]["value"] == called
    assert "| mine | 2 real | 0 |" in (tmp_path / "out" / "report.md").read_text()
    assert "called FAKE" in capsys.readouterr().out and not list((tmp_path / "out").glob("*.png"))


def test_degraded_copies_need_both_labels(tmp_path):
    (tmp_path / "a.png").touch()
    (tmp_path / "list.csv").write_text("path,label\na.png,real\n")
    with pytest.raises(UsageError, match="--robustness compares AUCs, which need a source with reals and fakes"):
        main([str(tmp_path / "list.csv"), "--output", str(tmp_path / "out"), "--robustness"])


def test_a_folder_without_files_is_told(tmp_path):
    with pytest.raises(UsageError, match="put reals into real/ and fakes into fake/"):
        main([str(tmp_path), "--output", str(tmp_path / "out")])


def test_the_served_ensemble_answers_as_its_networks_in_pytorch(through_torch, labelled, triton, tmp_path):
    _, rows = run(tmp_path, labelled, "--triton", triton)
    for name, row in through_torch[2].items():
        for column in ("y_score", *describe(CLONE / "bundles" / "lite").names):
            if row[column]:
                assert float(rows[name][column]) == pytest.approx(float(row[column]), abs=1e-3), (name, column)
        assert rows[name]["reason"] == row["reason"]


def test_a_second_run_writes_the_same_bytes(labelled, triton, tmp_path):
    # The same folder twice: the command is a part of the findings.
    contents = []
    for _ in range(2):
        run(tmp_path / "again", labelled, "--triton", triton, "--source", "stills")
        contents.append({path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()})
    assert contents[0] == contents[1]


def test_an_unknown_source_is_told(labelled, tmp_path):
    with pytest.raises(UsageError, match="'attic'; there are clips, stills"):
        main([str(labelled), "--output", str(tmp_path), "--source", "attic"])


def test_a_triton_that_is_away_ends_the_evaluation(labelled, tmp_path):
    with pytest.raises(UnavailableError):
        main([str(labelled), "--output", str(tmp_path), "--triton", "127.0.0.1:9"])


def test_a_bundle_that_is_not_there_is_told(labelled, tmp_path):
    with pytest.raises(BundleError, match="no-bundle"):
        main([str(labelled), "--output", str(tmp_path / "out"), "--bundle", str(CLONE / "no-bundle")])
