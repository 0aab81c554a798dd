"""A training run, small but whole."""

import copy
from argparse import Namespace
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from deepfake_contract.description import Identity
from deepfake_contract.errors import UsageError
from deepfake_networks.bundle import Bundle, describe
from deepfake_networks.network import HybridNetwork
from deepfake_networks.profiles import BASE, LITE
from deepfake_networks.writing import write_bundle
from deepfake_training import network_training
from deepfake_training.crops import Crops, cut_crops
from deepfake_training.data import Sample, read_manifest
from deepfake_training.frozen import FrozenStart
from deepfake_training.loss import Objective
from deepfake_training.network_training import schedule, train_network
from deepfake_training.pretrained import networks_of, pretrained_network
from deepfake_training.probabilities import probabilities
from deepfake_training.recipes import MIXTURES, PROFILES, Profile, Recipe
from deepfake_training.stack import fit_stack
from deepfake_training.train import main
from deepfake_training.train_profile import TrainingPlan, train
from deepfake_training.trial import tried

SMALL = Recipe(MIXTURES["blended"], 24, learning_rate=1e-3, pairs=2, sides=((0.0, 64),))


def small(profile: Profile) -> Profile:
    return replace(profile, networks=tuple((spec, SMALL) for spec, _ in profile.networks))


@pytest.fixture(scope="module")
def samples(write_manifest, tmp_path_factory) -> list[Sample]:
    return read_manifest(write_manifest(tmp_path_factory.mktemp("faces")), "train")


@pytest.fixture(scope="module")
def shown(samples, whole_picture, tmp_path_factory) -> Crops:
    return cut_crops(samples, nullcontext(whole_picture), PROFILES["lite"].policy, tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="module")
def together(samples, whole_picture, tmp_path_factory) -> Path:
    """The bundle that one run makes of all networks."""
    folder = tmp_path_factory.mktemp("together")
    plan = TrainingPlan(small(PROFILES["lite"]), folder / "bundle", folder / "work", seed=0)
    train(samples, nullcontext(whole_picture), plan)
    return plan.output


def test_the_loss_goes_down(shown, tmp_path):
    fake = np.array([sample.fake for sample in shown.samples])

    def loss(network: HybridNetwork) -> float:
        answer = probabilities(network, shown.pictures)
        return -float(np.log(np.where(fake, answer, 1 - answer)).mean())

    torch.manual_seed(0)
    network = pretrained_network(LITE[0])
    before = loss(network)
    recipe = replace(SMALL, mixture=MIXTURES["labelled"], pictures=240, pairs=4, sides=((0.0, 128),))
    trained = train_network(network, shown, recipe, tmp_path, seed=0)
    assert loss(trained) < before - 0.1


def test_a_run_makes_a_bundle_that_loads(together):
    """The manifest's val rows name pictures that do not exist, so a run that opened one would fail."""
    bundle = Bundle.load(together)
    assert bundle.description.identity.name == "lite"
    assert bundle.description.policy.face_margin == PROFILES["lite"].policy.face_margin
    assert bundle.description.policy.false_positive_rate is not None
    assert [network.spec for network in bundle.networks.values()] == list(LITE)


def test_the_command_trains_on_faces_that_the_served_detector_finds(manifest, tmp_path):
    folder = tmp_path / "bundle"
    work = ["--work", str(tmp_path / "work"), "--budget", "0.0001"]
    assert main([str(manifest), "--output", str(folder), *work]) == 0
    assert describe(folder).identity.version == PROFILES["lite"].version


def test_networks_trained_one_by_one_are_joined_into_the_same_bundle(samples, together, whole_picture, tmp_path):
    profile, output = small(PROFILES["lite"]), tmp_path / "apart"
    for name in (*profile.names[::-1], None):
        assert not output.exists()
        train(samples, nullcontext(whole_picture), TrainingPlan(profile, output, tmp_path / "work", seed=0, only=name))
    apart = Bundle.load(output)
    for name, network in Bundle.load(together).networks.items():
        for key, value in network.state_dict().items():
            assert torch.allclose(apart.networks[name].state_dict()[key], value, atol=1e-3), (name, key)


def test_a_network_that_does_not_exist_is_refused(tmp_path):
    given = ["--output", str(tmp_path / "bundle"), "--network", "resnet"]
    with pytest.raises(UsageError, match="lite has no network 'resnet'; it has lite0_labelled"):
        main(["manifest.csv", *given])
    with pytest.raises(UsageError, match="The plan has no network 'resnet'; it has dinov2"):
        main(["--pack", "pack", "--minutes", "1", *given])


def test_one_network_and_five_are_trained_as_well_as_three(samples, whole_picture, tmp_path):
    """Another number of them, another crop side, no FFT head, told the face's side: all of it is data."""
    lite = small(PROFILES["lite"])
    spec = replace(LITE[0], fft=None, face_side=True)
    for count in (1, 5):
        specs = [replace(spec, name=f"net{number}", weights=f"net{number}.pth") for number in range(count)]
        recipe = replace(SMALL, pictures=4, sides=((0.0, 32),))
        profile = replace(
            lite, networks=tuple((each, recipe) for each in specs), policy=replace(lite.policy, crop_side=96)
        )
        plan = TrainingPlan(profile, tmp_path / f"bundle{count}", tmp_path / "work", seed=0)
        train(samples, nullcontext(whole_picture), plan)
        description = describe(plan.output)
        assert description.networks == tuple(specs)
        assert len(description.stacking.coefficients) == count and description.wants_face_side


def test_training_starts_from_a_bundle(tmp_path):
    torch.manual_seed(0)
    networks = [HybridNetwork(spec) for spec in LITE]
    stacking = fit_stack(np.random.default_rng(0).random((40, len(LITE))), np.arange(40) % 2 == 0, 0.5).stacking
    write_bundle(tmp_path, Identity("lite", "9"), networks, stacking, PROFILES["lite"].policy)
    start = networks_of(tmp_path)
    for spec, network in zip(LITE, networks, strict=True):
        found = start(spec)
        assert all(torch.equal(found.state_dict()[name], value) for name, value in network.state_dict().items())
    assert start(BASE[0]) is None
    with pytest.raises(UsageError, match="lite0_labelled is not built as this profile's: efficientnet_b4"):
        start(replace(BASE[0], name="lite0_labelled"))


def test_base_learns_its_first_steps(tmp_path, shown):
    """As on a GPU, but from random weights and for two steps: all three backbones, at the size they are served at."""
    for (spec, recipe), expected in zip(PROFILES["base"].networks, BASE, strict=True):
        assert spec == expected
        torch.manual_seed(0)
        short = replace(recipe, pictures=4, pairs=1)
        trained = train_network(HybridNetwork(spec), shown, short, tmp_path, seed=0)
        assert np.isfinite(probabilities(trained, shown.pictures[:2])).all()


def test_a_run_that_was_stopped_ends_where_it_would_have_ended(shown, tmp_path, monkeypatch):
    monkeypatch.setattr(network_training, "SAVE_EVERY_S", 0.0)

    def run(work: Path, seed: int = 0) -> HybridNetwork:
        work.mkdir(exist_ok=True)
        torch.manual_seed(seed)
        return train_network(pretrained_network(LITE[0]), shown, SMALL, work, seed)

    def checkpoints() -> list[Path]:
        return list((tmp_path / "stopped").glob("lite0_labelled-*.pt"))

    whole = run(tmp_path / "whole")
    loss, calls = Objective.loss, []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return loss(*arguments)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Objective, "loss", interrupted)
        run(tmp_path / "stopped")
    assert [torch.load(file, weights_only=True)["step"] for file in checkpoints()] == [3]
    run(tmp_path / "stopped", seed=1)
    assert len(checkpoints()) == 2  # another run, which took up nothing of the first
    calls.clear()
    with monkeypatch.context() as patch:
        patch.setattr(Objective, "loss", lambda *arguments: calls.append(arguments) or loss(*arguments))
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
def test_data_that_teach_nothing_are_refused_before_the_training(samples, whole_picture, tmp_path, kept, message):
    those = [replace(sample, group=sample.source) for sample in samples if kept(sample)]
    with pytest.raises(UsageError, match=message):
        plan = TrainingPlan(small(PROFILES["lite"]), tmp_path / "b", tmp_path / "work", seed=0)
        train(those, nullcontext(whole_picture), plan)


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
    trained = train_network(start, shown, replace(SMALL, frozen_stages=3), tmp_path, seed=0)
    first = ("backbone.conv_stem.", "backbone.bn1.", *(f"backbone.blocks.{stage}." for stage in range(3)))
    for name, value in trained.state_dict().items():
        same = torch.equal(value, before[name])
        assert same if name.startswith(first) else not same or name.endswith("num_batches_tracked"), name


def test_a_share_of_the_weights_it_started_with_stays_in_a_network(shown, tmp_path):
    torch.manual_seed(0)
    start = pretrained_network(LITE[0])
    before = copy.deepcopy(start.state_dict())
    alone = train_network(copy.deepcopy(start), shown, SMALL, tmp_path, seed=0).state_dict()
    mean = train_network(start, shown, replace(SMALL, start_share=0.25), tmp_path, seed=0).state_dict()
    for name in ("backbone.conv_head.weight", "backbone.bn2.running_mean"):
        assert not torch.equal(alone[name], before[name])
        torch.testing.assert_close(mean[name], 0.75 * alone[name] + 0.25 * before[name])


def test_refining_needs_networks_to_refine(manifest, tmp_path):
    with pytest.raises(UsageError, match="--refine needs --start"):
        main([str(manifest), "--output", str(tmp_path / "bundle"), "--refine"])
    with pytest.raises(UsageError, match="--refine needs --start"):
        main([str(manifest), "--output", str(tmp_path), "--refine", "--start", "bundles/lite", "--profile", "base"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["data.csv", "--untrained", "--start", "bundles/lite"], "give one of them"),
        (["data.csv", "--minutes", "2", "--pairs", "4"], "--minutes, --pairs can be given with --pack only"),
        (["--pack", "p", "--minutes", "2", "--profile", "lite"], "--profile can be given with DATA only"),
        (["--pack", "p", "--minutes", "2", "--refine", "--budget", "2"], "--budget, --refine can be given with DATA"),
        (["--pack", "p", "--minutes", "0"], "--minutes must be above 0, but is 0"),
        (["--pack", "p", "--minutes", "2", "--pairs", "0"], "--pairs must be above 0, but is 0"),
        (["data.csv", "--workers", "-1"], "--workers must be above 0, but is -1"),
        (["data.csv", "--budget", "nan"], "--budget must be above 0, but is nan"),
    ],
)
def test_options_that_contradict_are_refused_by_name(tmp_path, given, message):
    with pytest.raises(UsageError, match=message):
        main([*given, "--output", str(tmp_path / "out")])


def test_an_interrupted_training_says_how_it_goes_on(manifest, tmp_path, monkeypatch, capsys):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("deepfake_training.train.train", interrupted)
    assert main([str(manifest), "--output", str(tmp_path / "out")]) == 130
    assert "the same command goes on from here" in capsys.readouterr().err


def test_refining_keeps_each_networks_mixture():
    """And leaves alone what the bundle to go on from does not have: that has to learn from the start."""
    lite = PROFILES["lite"]
    refined = lite.refined(["lite0_labelled", "lite0_augmented"])
    for (spec, recipe), (refined_spec, changed) in zip(lite.networks, refined.networks, strict=True):
        assert (refined_spec, changed.mixture) == (spec, recipe.mixture)
        assert changed == recipe if spec.name == "lite0_self_blended" else changed.frozen_stages == 3


def test_a_trial_is_what_its_options_say():
    """Another recipe and another network, and nothing that the code does otherwise."""
    given = Namespace(mixture="blended", pictures=10, learning_rate=1e-3, no_localisation=True, no_fft=True)
    spec, recipe = tried(given)
    assert (spec.fft, recipe.localisation_weight, recipe.mixture) == (None, 0.0, MIXTURES["blended"])
    given.no_localisation = given.no_fft = False
    spec, recipe = tried(given)
    assert (spec, recipe.localisation_weight) == (LITE[0], 0.5)
