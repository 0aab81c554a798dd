"""A training run, small but whole."""

import copy
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from deepfake_contract.errors import UsageError
from deepfake_networks.bundle import Bundle, Title
from deepfake_networks.network import HybridNetwork
from deepfake_networks.profiles import BASE, LITE
from deepfake_networks.writing import write_bundle
from deepfake_training import network_training
from deepfake_training.crops import Crops, cut_crops
from deepfake_training.data import read_manifest
from deepfake_training.frozen import FrozenStart
from deepfake_training.network_training import probabilities, schedule, train_member
from deepfake_training.pretrained import networks_of, pretrained_network
from deepfake_training.recipes import DIETS, PROFILES, Profile, Recipe
from deepfake_training.stack import fit_stack
from deepfake_training.train import main
from deepfake_training.train_profile import train

SMALL = Recipe(DIETS["blended"], 24, learning_rate=1e-3, pairs=2, sides=((0.0, 64),))


def small(profile: Profile) -> Profile:
    members = tuple((spec, SMALL) for spec, _ in profile.members)
    return replace(profile, members=members)


@pytest.fixture
def shown(manifest, whole_picture, tmp_path) -> Crops:
    policy = PROFILES["lite"].policy
    return cut_crops(read_manifest(manifest, "train"), nullcontext(whole_picture), policy, tmp_path / "work")


def test_the_loss_goes_down(shown, tmp_path):
    fake = np.array([sample.fake for sample in shown.samples])

    def loss(network: HybridNetwork) -> float:
        answer = probabilities(network, shown.pictures)
        return -float(np.log(np.where(fake, answer, 1 - answer)).mean())

    torch.manual_seed(0)
    network = pretrained_network(LITE[0])
    before = loss(network)
    recipe = replace(SMALL, diet=DIETS["labelled"], pictures=240, pairs=4, sides=((0.0, 128),))
    trained = train_member(network, shown, recipe, tmp_path, seed=0)
    assert loss(trained) < before - 0.1


def test_a_run_makes_a_bundle_that_loads(manifest, whole_picture, tmp_path):
    """The manifest's val rows name pictures that do not exist, so a run that opened one would fail."""
    profile, samples = small(PROFILES["lite"]), read_manifest(manifest, "train")
    train(samples, tmp_path / "bundle", tmp_path / "work", nullcontext(whole_picture), profile, seed=0)
    bundle = Bundle.load(tmp_path / "bundle")
    assert bundle.title.name == "lite"
    assert bundle.policy.face_margin == PROFILES["lite"].policy.face_margin
    assert bundle.policy.false_positive_rate is not None
    assert [network.spec for network in bundle.networks.values()] == list(LITE)


def test_the_command_trains_on_faces_that_the_served_detector_finds(manifest, tmp_path):
    folder = tmp_path / "bundle"
    work = ["--work", str(tmp_path / "work"), "--budget", "0.0001"]
    assert main([str(manifest), "--output", str(folder), *work]) == 0
    assert Bundle.load(folder).title.version == PROFILES["lite"].version


def test_networks_trained_one_by_one_are_joined_into_the_same_bundle(manifest, whole_picture, tmp_path):
    profile, samples = small(PROFILES["lite"]), read_manifest(manifest, "train")

    def run(name: str, only: str | None = None) -> Path:
        faces = nullcontext(whole_picture)
        train(samples, tmp_path / name, tmp_path / f"work-{name}", faces, profile, seed=0, only=only)
        return tmp_path / name

    for role in ("swin", "efficientnet"):
        run("apart", role)
        assert not (tmp_path / "apart").exists()
    apart, together = Bundle.load(run("apart")), Bundle.load(run("together"))
    for role, network in together.networks.items():
        for name, value in network.state_dict().items():
            assert torch.allclose(apart.networks[role].state_dict()[name], value, atol=1e-3), (role, name)


def test_a_member_that_does_not_exist_is_refused(manifest, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main([str(manifest), "--output", str(tmp_path / "bundle"), "--member", "resnet"])
    assert "--member: invalid choice: 'resnet'" in capsys.readouterr().err


def test_training_starts_from_a_bundle(tmp_path):
    torch.manual_seed(0)
    networks = [HybridNetwork(spec) for spec in LITE]
    stack = fit_stack(np.random.default_rng(0).random((40, 3)), np.arange(40) % 2 == 0)
    write_bundle(tmp_path, Title("lite", "9"), networks, stack.scaler, stack.regression, PROFILES["lite"].policy)
    start = networks_of(tmp_path)
    for spec, network in zip(LITE, networks, strict=True):
        found = start(spec)
        assert all(torch.equal(found.state_dict()[name], value) for name, value in network.state_dict().items())
    with pytest.raises(UsageError, match="efficientnet is not built as this profile's: efficientnet_b4"):
        start(BASE[0])


def test_base_learns_its_first_steps(tmp_path, shown):
    """As on a GPU, but from random weights and for two steps: all three backbones, at the size they are served at."""
    for (spec, recipe), expected in zip(PROFILES["base"].members, BASE, strict=True):
        assert spec == expected
        torch.manual_seed(0)
        short = replace(recipe, pictures=8, pairs=2)
        trained = train_member(HybridNetwork(spec), shown, short, tmp_path, seed=0)
        assert np.isfinite(probabilities(trained, shown.pictures[:2])).all()


def test_a_run_that_was_stopped_ends_where_it_would_have_ended(shown, tmp_path, monkeypatch):
    monkeypatch.setattr(network_training, "SAVE_EVERY_S", 0.0)

    def run(work: Path, seed: int = 0) -> HybridNetwork:
        work.mkdir(exist_ok=True)
        torch.manual_seed(seed)
        return train_member(pretrained_network(LITE[0]), shown, SMALL, work, seed)

    def checkpoints() -> list[Path]:
        return list((tmp_path / "stopped").glob("efficientnet-*.pt"))

    whole = run(tmp_path / "whole")
    loss, calls = network_training.member_loss, []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return loss(*arguments)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(network_training, "member_loss", interrupted)
        run(tmp_path / "stopped")
    assert [torch.load(file, weights_only=True)["step"] for file in checkpoints()] == [3]
    run(tmp_path / "stopped", seed=1)
    assert len(checkpoints()) == 2  # another run, which took up nothing of the first
    calls.clear()
    with monkeypatch.context() as patch:
        patch.setattr(network_training, "member_loss", lambda *arguments: calls.append(arguments) or loss(*arguments))
        resumed = run(tmp_path / "stopped")
    assert (len(calls), len(checkpoints())) == (SMALL.steps - 3, 2)
    for name, value in whole.state_dict().items():
        assert torch.allclose(resumed.state_dict()[name], value, atol=1e-5), name


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        (lambda sample: sample.fake == (sample.source == "swaps"), "No source has both"),
        (lambda sample: True, "No group is small enough"),
    ],
    ids=["each source has one label", "each source is one group"],
)
def test_data_that_teach_nothing_are_refused_before_the_training(manifest, whole_picture, tmp_path, kept, message):
    samples = [replace(sample, group=sample.source) for sample in read_manifest(manifest, "train") if kept(sample)]
    with pytest.raises(UsageError, match=message):
        train(samples, tmp_path / "b", tmp_path / "work", nullcontext(whole_picture), small(PROFILES["lite"]), seed=0)


def test_the_pretrained_weights_fit_their_places():
    """Weights, not initial values: batch norms of a trained network have statistics."""
    norms = [module for module in pretrained_network(LITE[0]).modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert norms and all((norm.running_var != 1).any() for norm in norms)


def test_the_learning_rate_rises_then_falls_to_nothing():
    rates = [schedule(done / 1000) for done in range(1001)]
    peak = int(np.argmax(rates))
    assert rates[peak] == pytest.approx(1, abs=0.01)
    assert peak < 100
    assert np.all(np.diff(rates[peak:]) <= 0) and rates[-1] == pytest.approx(0)


def test_refined_networks_keep_their_first_stages_and_answer_as_before_through_them(shown, tmp_path):
    torch.manual_seed(0)
    start = pretrained_network(LITE[0]).eval()
    pictures = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        whole = start.backbone.forward_features(pictures)
        assert torch.allclose(FrozenStart(copy.deepcopy(start).backbone, 3)(pictures), whole, atol=1e-4)
    before = {name: value.clone() for name, value in start.state_dict().items()}
    trained = train_member(start, shown, replace(SMALL, frozen_stages=3), tmp_path, seed=0)
    first = ("backbone.conv_stem.", "backbone.bn1.", *(f"backbone.blocks.{stage}." for stage in range(3)))
    for name, value in trained.state_dict().items():
        same = torch.equal(value, before[name])
        assert same if name.startswith(first) else not same or name.endswith("num_batches_tracked"), name


def test_refining_needs_networks_to_refine(manifest, tmp_path):
    with pytest.raises(UsageError, match="--refine needs --start"):
        main([str(manifest), "--output", str(tmp_path / "bundle"), "--refine"])
    with pytest.raises(UsageError, match="--refine needs --start"):
        main([str(manifest), "--output", str(tmp_path), "--refine", "--start", "bundles/lite", "--profile", "base"])


def test_refining_keeps_each_networks_diet():
    lite = PROFILES["lite"]
    for (spec, recipe), (refined_spec, refined) in zip(lite.members, lite.refined().members, strict=True):
        assert (refined_spec, refined.diet) == (spec, recipe.diet)
        assert refined.frozen_stages == 3
