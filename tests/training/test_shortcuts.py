"""What one number that looks at no face tells of real and fake."""

import csv
from collections.abc import Sequence
from contextlib import nullcontext
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from deepfake_contract.errors import UsageError
from deepfake_training import shortcuts
from deepfake_training.augment import LIGHT, MEDIUM
from deepfake_training.crops import Crops
from deepfake_training.cues import Cues, cues
from deepfake_training.data import Sample
from deepfake_training.recipes import Mixture
from deepfake_training.shortcuts import Baseline, baselines, looks_as_they_are, looks_of_pairs

SIDE = 96
LANDMARKS = np.array([[0.35, 0.4], [0.65, 0.4], [0.5, 0.58], [0.38, 0.75], [0.62, 0.75]], np.float32) * SIDE


def crops_of(reals: Sequence[np.ndarray], fakes: Sequence[np.ndarray], side: float = 100.0) -> Crops:
    """One source: fakes made of its reals, in pictures half as large as `side` says of the reals."""
    samples = [
        Sample(Path(f"{fake}{number}"), fake, "swaps", f"g{number}", f"clip{number}")
        for fake, pictures in ((False, reals), (True, fakes))
        for number in range(len(pictures))
    ]
    sides = np.repeat([side, side / 2], [len(reals), len(fakes)])
    return Crops(samples, np.stack([*reals, *fakes]), np.tile(LANDMARKS, (len(samples), 1, 1)), sides)


def faces(astronaut: np.ndarray, number: int) -> list[np.ndarray]:
    """Cut out here and there, from soft to crisp and noisy."""
    random = np.random.default_rng(0)
    made = []
    for _ in range(number):
        left, top = random.integers(0, 60, 2)
        crop = astronaut[40 + top : 40 + top + SIDE, 140 + left : 140 + left + SIDE]
        crop = cv2.GaussianBlur(crop, (0, 0), random.uniform(0.2, 1.0))
        made.append((crop + random.normal(0, random.uniform(0, 4), crop.shape)).clip(0, 255).astype(np.uint8))
    return made


@pytest.fixture(scope="module")
def soft_fakes(astronaut) -> Crops:
    reals = faces(astronaut, 30)
    return crops_of(reals, [cv2.GaussianBlur(real, (0, 0), 1.5) for real in reals])


def auc_of(cue: str, crops: Crops, mixture: Mixture, pairs: int = 300) -> float:
    found = baselines(list(islice(looks_of_pairs(crops, mixture, 7), 2 * pairs)), 7)
    return next(each.auc.value for each in found if each.cue == cue)


def test_softer_fakes_are_told_by_their_detail_until_pairs_are_evened(soft_fakes):
    assert auc_of("detail", soft_fakes, Mixture(0.0, 0.0, LIGHT, evened=0.0)) < 0.35
    assert 0.45 <= auc_of("detail", soft_fakes, Mixture(0.0, 0.0, LIGHT, evened=1.0)) <= 0.55


def test_labelled_fakes_and_made_ones_are_told_apart(soft_fakes):
    looks = list(islice(looks_of_pairs(soft_fakes, Mixture(0.5, 0.0, MEDIUM), 7), 400))
    found = {each.kind: each for each in baselines(looks, 7) if each.cue == "face_side"}
    assert found["labelled"].reals + found["made"].reals == found["both"].reals == 200
    assert 70 <= found["made"].reals <= 130
    # The labelled ones' pictures are half as large as their reals'; a made one's is its real's.
    assert (found["labelled"].auc.value, found["made"].auc.value) == (0.0, 0.5)


def test_a_mixture_of_reals_alone_shows_no_labelled_fake(soft_fakes):
    photos = [Sample(Path(f"photo{number}"), False, "photos", f"p{number}", "") for number in range(30)]
    crops = Crops(
        soft_fakes.samples + photos,
        np.concatenate([np.asarray(soft_fakes.pictures), soft_fakes.pictures[:30]]),
        np.tile(LANDMARKS, (90, 1, 1)),
        np.ones(90),
    )
    looks = list(islice(looks_of_pairs(crops, Mixture(1.0, 0.0, MEDIUM, raw_only=True), 7), 40))
    assert {(look.source, look.kind) for look in looks} == {("photos", "made")}


def test_crops_as_they_are_need_no_pairs(soft_fakes):
    found = {each.cue: each for each in baselines(list(looks_as_they_are(soft_fakes)), 7)}
    assert (found["detail"].reals, found["detail"].fakes) == (30, 30)
    assert found["detail"].auc.value < 0.2 and found["face_side"].auc.value == 0.0
    assert found["detail"].mark == "**"


def test_sources_and_all_of_them_each_have_a_row(soft_fakes):
    looks = list(looks_as_they_are(soft_fakes))
    looks += [shortcuts.Look("photos", look.group, look.kind, False, look.cues) for look in looks[:9]]
    rows = {(each.source, each.reals, each.fakes) for each in baselines(looks, 7)}
    assert rows == {("swaps", 30, 30), ("all", 39, 30)}


@pytest.mark.parametrize(
    ("value", "low", "high", "fakes", "mark"),
    [
        (0.54, 0.46, 0.62, 90, ""),
        (0.56, 0.46, 0.66, 90, "*"),
        (0.44, 0.40, 0.46, 90, "*"),
        (0.66, 0.60, 0.70, 90, "**"),
        (0.30, 0.20, 0.40, 90, "**"),
        (1.0, 1.0, 1.0, 4, "*"),
    ],
)
def test_what_is_beyond_the_harmless_is_marked(value, low, high, fakes, mark):
    each = Baseline("swaps", "labelled", 90, fakes, "detail", shortcuts.Interval(value, low, high))
    assert each.mark == mark


def test_each_cue_goes_with_what_it_is_named_after(astronaut):
    plain = np.ascontiguousarray(astronaut[:224, 120:344])
    as_it_is = cues(plain, 80.0)
    soft = cues(cv2.GaussianBlur(plain, (0, 0), 2), 80.0)
    grey = cues(np.repeat(cv2.cvtColor(plain, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2), 80.0)
    dark = cues(plain // 2, 40.0)
    for name in ("detail", "high_frequency", "jpeg_bytes"):
        assert getattr(soft, name) < getattr(as_it_is, name)
    assert grey.saturation == 0 < as_it_is.saturation
    assert dark.brightness == pytest.approx(as_it_is.brightness / 2, abs=1)
    assert dark.contrast == pytest.approx(as_it_is.contrast / 2, rel=0.02)
    assert (as_it_is.face_side, dark.face_side) == (80.0, 40.0)


def test_the_command_prints_a_table_and_writes_it(manifest, tmp_path, whole_picture, monkeypatch, capsys):
    monkeypatch.setattr(shortcuts, "served_faces", lambda _: nullcontext(whole_picture))
    file = tmp_path / "nulls.csv"
    words = [str(manifest), "--work", str(tmp_path / "work"), "--pairs", "20", "--output", str(file)]
    assert shortcuts.main(words) == 0
    head, *lines = [line for line in capsys.readouterr().out.split("\n") if line]
    assert head.split() == ["source", "kind", "reals", "fakes", *Cues._fields]
    assert [line.split()[0] for line in lines] == ["stills", "swaps", "all"]
    with file.open(newline="") as rows:
        written = list(csv.DictReader(rows))
    assert len(written) == 3 * len(Cues._fields)
    assert all(float(row["low"]) <= float(row["auc"]) <= float(row["high"]) for row in written)


def test_options_without_effect_are_refused(manifest):
    with pytest.raises(UsageError, match="--pairs has no effect"):
        shortcuts.main([str(manifest), "--plain", "--pairs", "3"])
