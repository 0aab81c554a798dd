"""Training from a pack alone, by the clock."""

import csv
import logging
from argparse import Namespace
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from deepfake_contract.errors import DeepfakeError, UsageError
from deepfake_training import batches
from deepfake_training import train as commands
from deepfake_training.from_pack import SCORES_FILE, Job, start_network
from deepfake_training.machine import Machine
from deepfake_training.network_files import load_network_files, read_about, save_network_files
from deepfake_training.pack import pack
from deepfake_training.packed import read_pack
from deepfake_training.plan_run import SCORING_S, train_plan
from deepfake_training.plans import NETWORKS, Phase, Run, plan_for, with_pairs
from deepfake_training.pretrained import pretrained_network, starting_spec
from deepfake_training.recipes import HELD_OUT_SHARE
from deepfake_training.scores import read_scores
from deepfake_training.splits import hold_out
from deepfake_training.train import main

ARCHITECTURE = "tf_efficientnet_lite0"


@pytest.fixture(scope="module")
def packed(write_manifest, whole_picture, tmp_path_factory) -> Path:
    """A pack with one start; four reals are of the split control, to be scored only."""
    folder = tmp_path_factory.mktemp("packed")
    manifest = write_manifest(folder)
    rows = list(csv.DictReader(manifest.open(newline="")))
    rows = [row for row in rows if row["split"] == "train"]
    for row in rows[:4]:
        row["split"] = "control"
    with manifest.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    start = {ARCHITECTURE: pretrained_network(starting_spec(ARCHITECTURE, ARCHITECTURE))}
    pack(manifest, folder / "pack", nullcontext(whole_picture), ["control"], starts=start)
    return folder / "pack"


def train(packed: Path, folder: Path, *more: str) -> Path:
    output = folder / "out"
    given = ["--output", str(output), "--work", str(folder / "work"), "--device", "cpu", "--pairs", "2"]
    assert main(["--pack", str(packed), "--minutes", "0.01", *given, *more]) == 0
    return output


def test_a_network_comes_with_what_it_says_of_pictures_it_has_not_learnt_from(packed, tmp_path):
    output = train(packed, tmp_path, "--network", "lite0_self_blended")
    network = load_network_files(output / "lite0_self_blended.json")
    assert network.spec == NETWORKS["lite0_self_blended"][0]
    about = read_about(output / "lite0_self_blended.json")
    assert about["pictures"] >= 4 and about["learnt_from"] == ["stills", "swaps"] and about["device"] == "cpu"
    assert any("lite0_self_blended, stills (held out)" in line for line in about["figures"])
    learn = read_pack(packed, tmp_path / "work", 1).learn.samples
    held = {str(sample.path) for sample in hold_out(learn, HELD_OUT_SHARE, 7)[1]}
    scores = read_scores(output / SCORES_FILE)
    assert {score.path for score in scores if score.part == "held out"} == held
    assert sum(score.part == "control" for score in scores) == 4
    assert all(0 < score.y_score < 1 for score in scores)


def test_a_source_left_out_is_scored_and_its_network_is_not_kept(packed, tmp_path):
    output = train(packed, tmp_path, "--network", "lite0_self_blended", "--without", "swaps")
    assert [file.name for file in output.iterdir()] == [SCORES_FILE]
    scores = read_scores(output / SCORES_FILE)
    assert {(score.part, score.source) for score in scores} == {("left out", "swaps"), ("held out", "stills")}
    assert {score.without for score in scores} == {"swaps"}


def test_a_source_that_is_not_there_cannot_be_left_out(packed, tmp_path):
    with pytest.raises(UsageError, match="nothing of the source faceswap"):
        train(packed, tmp_path, "--network", "lite2", "--without", "faceswap")


def test_a_run_without_a_source_never_starts_from_a_network_that_may_have_seen_it(packed, tmp_path):
    spec, _ = NETWORKS["lite0_self_blended"]
    torch.manual_seed(0)
    earlier = pretrained_network(spec)
    with torch.no_grad():
        earlier.backbone.conv_stem.weight.fill_(0.5)
    save_network_files(tmp_path / "round1", "lite0_self_blended", earlier, {"pictures": 7})

    def stem(run: Run) -> torch.Tensor:
        return start_network(spec, run, tmp_path / "round1").backbone.conv_stem.weight

    assert (stem(Run("lite0_self_blended")) == 0.5).all()
    assert not (stem(Run("lite0_self_blended", "swaps")) == 0.5).any()


@pytest.mark.parametrize("network", [["--network", "lite0_self_blended"], []], ids=["one network", "the plan"])
def test_reading_the_pack_counts_as_time(packed, tmp_path, monkeypatch, network):
    """A hundred seconds of a clock that only the reading moves."""
    clock, seconds = [0.0], []

    def read(*given):
        clock[0] += 100
        return read_pack(*given)

    monkeypatch.setattr(commands, "read_pack", read)
    monkeypatch.setattr(commands, "time", Namespace(monotonic=lambda: clock[0]))
    for name in ("train_from_pack", "train_plan"):
        monkeypatch.setattr(commands, name, lambda _pack, _run, job: seconds.append(job.seconds))
    train(packed, tmp_path, "--minutes", "3", *network)
    assert seconds == [80.0]


def test_the_packs_start_is_taken_without_its_package(packed, monkeypatch):
    monkeypatch.setattr("deepfake_training.from_pack.pretrained_network", None)
    spec, _ = NETWORKS["lite0_self_blended"]
    network = start_network(spec, Run("lite0_self_blended"), packed)
    start = load_network_files(packed / f"{ARCHITECTURE}.json")
    assert torch.equal(network.backbone.conv_stem.weight, start.backbone.conv_stem.weight)


def test_a_plan_gathers_what_ends_well_and_goes_on_where_it_was_stopped(packed, tmp_path, capfd, caplog):
    caplog.set_level(logging.INFO)
    machine, seconds = Machine(torch.device("cpu"), 1), SCORING_S + 2.0
    job = Job(packed, tmp_path / "out", tmp_path / "work", machine, seconds, 7, 2)
    first = Phase(0.5, (Run("lite0_self_blended"),))
    second = Phase(0.5, (Run("lite0_self_blended", "stills"), Run("lite0_self_blended", "nowhere")))
    train_plan(packed, [first], job)
    with pytest.raises(DeepfakeError, match="lite0_self_blended-without-nowhere did not end well"):
        train_plan(packed, [first, second], job)
    names = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert names == ["lite0_self_blended-1.safetensors", "lite0_self_blended.json", SCORES_FILE]
    assert {score.without for score in read_scores(tmp_path / "out" / SCORES_FILE)} == {"", "stills"}
    messages = [record.getMessage() for record in caplog.records]
    assert [message.rsplit(",", 1)[0] for message in messages if ", for " in message] == [
        "lite0_self_blended",
        "lite0_self_blended-without-stills, lite0_self_blended-without-nowhere",
    ]
    told = capfd.readouterr().err
    assert "lite0_self_blended without stills, stills (left out)" in told and "nothing of the source nowhere" in told


def test_the_plan_leaves_each_source_out_of_what_learns_from_labelled_fakes():
    first, second = plan_for(["dfdc", "portraits"])
    assert [run.name for run in first.runs] == list(NETWORKS)
    assert {(run.network, run.without) for run in second.runs} == {
        (network, source) for network in ("dinov2", "lite2") for source in ("dfdc", "portraits")
    }
    assert first.share + second.share == 1


def test_a_smaller_step_learns_at_a_lower_rate():
    _, recipe = NETWORKS["dinov2"]
    smaller = with_pairs(recipe, recipe.pairs // 4)
    assert (smaller.pairs, smaller.learning_rate) == (recipe.pairs // 4, pytest.approx(recipe.learning_rate / 2))
    assert with_pairs(recipe, None) == recipe


def test_no_recipe_of_the_plan_needs_what_a_bare_machine_lacks():
    """PyAV, for H.264."""
    assert all(recipe.mixture.augmentation.video == 0 for _, recipe in NETWORKS.values())


def test_what_a_pack_needs_is_said(packed, tmp_path):
    for given, message in [
        (["--pack", str(packed)], "needs --minutes"),
        (["--pack", str(packed), "--minutes", "1", "--without", "swaps"], "needs --network"),
        ([], "Give DATA"),
        (["data.csv", "--pack", str(packed)], "Give DATA"),
    ]:
        with pytest.raises(UsageError, match=message):
            main([*given, "--output", str(tmp_path / "out"), "--device", "cpu"])


def test_too_little_shared_memory_is_told_before_it_hangs(packed, monkeypatch, tmp_path):
    monkeypatch.setattr(batches.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(UsageError, match="shm-size"):
        train(packed, tmp_path, "--network", "lite0_self_blended")
