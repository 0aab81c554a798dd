"""Networks trained without a source, and what they begin with."""

import csv
import logging
from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from deepfake_contract.errors import UsageError
from deepfake_networks.bundle import describe
from deepfake_training import network_training, profile_networks
from deepfake_training.crops import cut_crops
from deepfake_training.data import read_manifest
from deepfake_training.leave_one_out import train_without
from deepfake_training.machine import Machine
from deepfake_training.plans import Run
from deepfake_training.profile_networks import Trainer
from deepfake_training.recipes import MIXTURES, PROFILES, Profile, Recipe
from deepfake_training.scores import LEFT_OUT, SCORES_FILE, read_scores, scores_of, write_scores
from deepfake_training.splits import raw_only
from deepfake_training.train import main
from deepfake_training.train_profile import TrainingPlan, train

RAW = Recipe(MIXTURES["raw_blended"], 8, pairs=2, sides=((0.0, 32),))
SHORT = replace(RAW, mixture=MIXTURES["evened"], begins_with="lite0_self_blended")


@pytest.fixture
def with_raw(manifest: Path) -> Path:
    """The made-up sources, and a third with reals alone."""
    rows = list(csv.DictReader(manifest.open(newline="")))
    rows = [row for row in rows if row["split"] == "train"]
    raw = [{**row, "source": "photos", "group": f"p{row['group']}"} for row in rows if row["label"] == "real"]
    for number, row in enumerate(raw):
        copied = manifest.parent / f"photo{number}.png"
        copied.write_bytes((manifest.parent / row["path"]).read_bytes())
        row["path"] = copied.name
    with manifest.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows + raw)
    return manifest


def profile() -> Profile:
    lite = PROFILES["lite"]
    names = ("lite0_labelled", "lite0_self_blended")
    recipes = {"lite0_labelled": SHORT, "lite0_self_blended": RAW}
    networks = tuple((spec, recipes[spec.name]) for spec, _ in lite.networks if spec.name in names)
    return replace(lite, networks=networks, leaving_out=SHORT)


def without(manifest: Path, whole_picture, tmp_path: Path, *sources: str) -> Path:
    plan = TrainingPlan(profile(), tmp_path / "scores", tmp_path / "work", seed=0, machine=Machine.here("cpu"))
    return train_without(read_manifest(manifest, "train"), nullcontext(whole_picture), plan, sources)


def test_each_source_is_left_out_in_turn(with_raw, whole_picture, tmp_path, monkeypatch):
    learnt: list[tuple[str, set[str]]] = []

    def watched(network, crops, *rest):
        learnt.append((network.spec.name, {sample.source for sample in crops.samples}))
        return network_training.train_network(network, crops, *rest)

    monkeypatch.setattr(profile_networks, "train_network", watched)
    scores = read_scores(without(with_raw, whole_picture, tmp_path, "all"))
    assert {(score.network, score.without) for score in scores} == {
        (network, source) for network in ("lite0_labelled", "lite0_self_blended") for source in ("stills", "swaps")
    }
    assert all(score.source == score.without and score.part == LEFT_OUT for score in scores)
    assert set(Counter(score.without for score in scores).values()) == {48}
    sources = {name: [given for each, given in learnt if each == name] for name, _ in learnt}
    assert sources["lite0_labelled"] == [{"swaps", "photos"}, {"stills", "photos"}]
    assert all(given == {"photos"} for given in sources["lite0_self_blended"])


def test_a_later_call_adds_its_source(with_raw, whole_picture, tmp_path):
    for source in ("swaps", "stills"):
        table = without(with_raw, whole_picture, tmp_path, source)
    assert {score.without for score in read_scores(table)} == {"swaps", "stills"}


def test_a_source_that_is_not_there_is_named(with_raw, whole_picture, tmp_path):
    with pytest.raises(UsageError, match="no source 'photos' with reals and fakes; there are stills, swaps"):
        without(with_raw, whole_picture, tmp_path, "photos")


def test_a_network_begins_with_the_one_its_recipe_names(with_raw, whole_picture, tmp_path):
    samples = read_manifest(with_raw, "train")
    crops = cut_crops(samples, nullcontext(whole_picture), PROFILES["lite"].policy, tmp_path / "work")
    trainer = Trainer(profile(), tmp_path / "work", 0, Machine.here("cpu"))
    earlier = trainer.trained("lite0_self_blended", crops)
    begun = trainer.begin("lite0_labelled", crops)
    assert begun.spec.name == "lite0_labelled"
    assert all(torch.equal(begun.state_dict()[name], value) for name, value in earlier.state_dict().items())


def test_raw_material_is_what_has_no_fakes(with_raw):
    samples = read_manifest(with_raw, "train")
    assert {sample.source for sample in raw_only(samples)} == {"photos"}
    others = [sample for sample in samples if sample.source != "photos"]
    assert raw_only(others) == others


def test_the_stacking_is_fitted_on_what_was_left_out_too(with_raw, whole_picture, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    samples, table = read_manifest(with_raw, "train"), tmp_path / SCORES_FILE
    known = [sample for sample in samples if sample.source != "photos"]
    random = np.random.default_rng(0)
    right = np.array([random.uniform(*((0.6, 1) if sample.fake else (0, 0.4))) for sample in known])
    probabilities = np.stack([right, 1 - right])  # the second network is wrong each time
    runs = [Run("lite0_labelled", "some"), Run("lite0_self_blended", "some")]
    answered = zip(runs, probabilities, strict=True)
    write_scores(table, [score for run, y in answered for score in scores_of(run, LEFT_OUT, known, y)])
    plan = TrainingPlan(profile(), tmp_path / "bundle", tmp_path / "work", seed=0, left_out=table)
    train(samples, nullcontext(whole_picture), plan)
    assert describe(plan.output).names == ("lite0_labelled",)
    assert "lite0_self_blended earns no weight" in caplog.text
    assert "swaps (left out): AUC" in caplog.text
    with pytest.raises(UsageError, match="has no such picture"):
        train([each for each in samples if each.source != "swaps"], nullcontext(whole_picture), plan)


def test_the_command_leaves_a_source_out(with_raw, tmp_path):
    given = [str(with_raw), "--output", str(tmp_path / "scores"), "--without", "swaps", "--budget", "0.0001"]
    given += ["--work", str(tmp_path / "work"), "--network", "lite0_self_blended"]
    assert main(given) == 0
    scores = read_scores(tmp_path / "scores" / SCORES_FILE)
    assert {(score.network, score.source) for score in scores} == {("lite0_self_blended", "swaps")}
    for refused in (["--start", str(tmp_path)], ["--untrained"]):
        with pytest.raises(UsageError, match="--without trains anew"):
            main([*given, *refused])
