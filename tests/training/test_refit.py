"""A bundle refitted on labelled files: where that helps, where it does not, and what is written."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from deepfake_contract.description import BundleDescription, Identity
from deepfake_contract.errors import UsageError
from deepfake_contract.looks import corrected
from deepfake_contract.stacking import Stacking
from deepfake_networks.bundle import Bundle, describe
from deepfake_networks.profiles import LITE_POLICY
from deepfake_training.data import Sample
from deepfake_training.evaluate import main
from deepfake_training.fit_command import check_fit, fit
from deepfake_training.predictions import Prediction, predict, served
from deepfake_training.refit import file_scores, log_losses, refit
from deepfake_training.refitted_bundle import write_refitted
from deepfake_training.torch_networks import TorchNetworks
from families import TWO, write_random_bundle
from PIL import Image

NAMES = tuple(spec.name for spec in TWO)
FLAT = Stacking((0.5, 0.5), (0.25, 0.25), (0.1, 0.1), 0.0)  # says next to nothing


def bundle(stacking: Stacking) -> BundleDescription:
    return BundleDescription(Identity("two", "1.0"), "sha256:0", TWO, LITE_POLICY, stacking)


def prediction(*frames: tuple[tuple[float, float], ...]) -> Prediction:
    means = dict(zip(NAMES, np.mean([frame[0] for frame in frames], axis=0).tolist(), strict=True))
    return Prediction(0.5, means, "FAKE", "high", len(frames), "", None, (0.5,) * len(frames), frames)


def files(count: int, apart: float, files_a_group: int = 1) -> tuple[list[Sample], list[Prediction]]:
    """Half of them fakes, whose networks say so much more on average; groups of files with one label."""
    random = np.random.default_rng(0)
    fakes = np.arange(count) >= count // 2
    samples = [
        Sample(Path(f"{at}.png"), bool(fake), "mine", f"g{at // files_a_group}", name=f"{at}.png")
        for at, fake in enumerate(fakes)
    ]
    given = np.clip(random.normal(np.where(fakes, 0.5 + apart / 2, 0.5 - apart / 2)[:, None], 0.15, (count, 2)), 0, 1)
    return samples, [prediction((tuple(row),)) for row in given.tolist()]


def test_a_stacking_that_says_too_little_is_bettered():
    samples, predictions = files(300, 0.4)
    fitted = refit(samples, predictions, bundle(FLAT))
    assert fitted.helps and fitted.gain.low > 0.1
    assert fitted.gain.value == pytest.approx(fitted.log_loss_before - fitted.log_loss)
    assert fitted.false_positive_rate < 0.15 and fitted.real_below < fitted.fake_from
    assert fitted.evidence["mine"].wrong.value <= 0.2


def test_a_stacking_fitted_on_the_same_files_is_not():
    """Judged on the files it was fitted on, it has the better of any that has not seen them."""
    samples, predictions = files(200, 0.4)
    known = refit(samples, predictions, bundle(FLAT)).stacking
    again = refit(samples, predictions, bundle(known))
    assert not again.helps and again.log_loss > again.log_loss_before


def test_the_losses_of_reals_and_fakes_weigh_alike():
    samples, predictions = files(200, 0.4)
    few = [at for at, sample in enumerate(samples) if sample.fake or at < 40]
    samples, predictions = ([items[at] for at in few] for items in (samples, predictions))
    y_true = np.array([sample.fake for sample in samples])
    losses = log_losses(y_true, file_scores(FLAT, None, predictions))
    fitted = refit(samples, predictions, bundle(FLAT))
    assert fitted.log_loss_before == pytest.approx((losses[y_true].mean() + losses[~y_true].mean()) / 2)


def test_a_group_is_never_on_both_sides_of_a_fold():
    """Networks that know each person by a number, and nothing else, are worth nothing on other persons."""
    random = np.random.default_rng(1)
    samples, _ = files(200, 0.0, files_a_group=10)
    own = random.random((20, 2))
    predictions = [prediction((tuple(own[at // 10].tolist()),)) for at in range(200)]
    assert not refit(samples, predictions, bundle(FLAT)).helps


def test_a_clip_is_the_mean_of_its_frames_highest_faces():
    stacking = Stacking((0.0, 0.0), (1.0, 1.0), (2.0, 1.0), -1.0)
    clip = prediction(((0.1, 0.2), (0.9, 0.8)), ((0.5, 0.5),))
    high, other = (1 / (1 + np.exp(-logit)) for logit in (2 * 0.9 + 0.8 - 1, 2 * 0.5 + 0.5 - 1))
    picture = prediction(((0.5, 0.5),))
    assert file_scores(stacking, None, [clip, picture]) == pytest.approx([(high + other) / 2, other])
    reached = tuple(np.linspace(0.05, 0.95, 11).tolist())
    corrected_high = corrected(high, 2, reached)
    assert file_scores(stacking, reached, [clip, picture]) == pytest.approx([(corrected_high + other) / 2, other])


@pytest.mark.parametrize(("count", "files_a_group"), [(38, 1), (200, 20)])
def test_too_few_files_or_groups_are_told(count, files_a_group):
    samples, predictions = files(count, 0.4, files_a_group)
    with pytest.raises(UsageError, match=r"at least 20 reals and 20 fakes with an answer, each of at least 10 groups"):
        refit(samples, predictions, bundle(FLAT))


def test_files_without_an_answer_do_not_count():
    samples, predictions = files(40, 0.4)
    nothing = Prediction(None, None, "NO FACE", "", 1, "no face")
    with pytest.raises(UsageError, match="19 reals of 19 groups and 20 fakes"):
        refit(samples, [nothing, *predictions[1:]], bundle(FLAT))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return write_random_bundle(tmp_path_factory.mktemp("two") / "bundle", Identity("two", "1.0"), TWO)


def test_the_new_bundle_has_the_old_weights_and_the_new_numbers(folder, tmp_path):
    samples, predictions = files(300, 0.4)
    fitted = refit(samples, predictions, describe(folder))
    write_refitted(tmp_path / "new", folder, describe(folder), fitted)
    old, new = describe(folder), Bundle.load(tmp_path / "new").description
    assert (new.identity, new.networks, new.stacking) == (Identity("two", "1.0+fitted"), old.networks, fitted.stacking)
    assert new.policy == replace(
        old.policy,
        false_positive_rate=fitted.false_positive_rate,
        uncertain=fitted.uncertain,
        real_scores=fitted.real_scores,
        fake_from=fitted.fake_from,
        real_below=fitted.real_below,
    )
    assert None not in (new.policy.fake_from, new.policy.real_below)
    for spec in TWO:
        assert (tmp_path / "new" / spec.weights).read_bytes() == (folder / spec.weights).read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_weights_from_elsewhere_come_along(folder, tmp_path):
    """A bundle may name a .safetensors file outside its folder."""
    made = write_random_bundle(
        tmp_path / "a" / "bundle", Identity("two", "1"), [replace(TWO[0], weights="x.safetensors"), TWO[1]]
    )
    (made / "x.safetensors").rename(made.parent / "x.safetensors")
    text = (made / "bundle.toml").read_text().replace('"x.safetensors"', '"../x.safetensors"')
    (made / "bundle.toml").write_text(text)
    samples, predictions = files(100, 0.4)
    write_refitted(tmp_path / "new", made, describe(made), refit(samples, predictions, describe(made)))
    moved = Path(shutil.move(tmp_path / "new", tmp_path / "far"))
    assert list(Bundle.load(moved).networks) == list(NAMES)


def test_where_it_does_not_help_the_exit_code_is_1_and_nothing_is_written(folder, tmp_path):
    """Both networks are right, and the bundle's stacking says so already."""
    samples, predictions = files(200, 0.4)
    code, said = fit(samples, predictions, folder, tmp_path / "new", tmp_path)
    made = json.loads((tmp_path / "fit.json").read_text())
    assert code == 1 and "Nothing was written" in said and not (tmp_path / "new").exists()
    assert f"{made['log_loss']:.4f} refitted and {made['log_loss_before']:.4f} with two 1.0" in said
    assert made["gain"]["low"] < 0


def test_a_folder_with_something_in_it_is_kept(folder, tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UsageError, match="is there already: name a new folder"):
        write_refitted(tmp_path, folder, describe(folder), None)


@pytest.fixture(scope="module")
def labelled(astronaut, admiral, tmp_path_factory) -> Path:
    """20 reals and 20 fakes, which are brighter, each of a group of its own."""
    made = tmp_path_factory.mktemp("labelled")
    random = np.random.default_rng(0)
    for at in range(20):
        for label, add in (("real", 0), ("fake", 60)):
            (made / label).mkdir(exist_ok=True)
            left, top = random.integers(0, 30, 2)
            face = (astronaut[20:260, 100:340], admiral[60:300, 140:380])[at % 2][top:, left:]
            picture = np.clip(face.astype(int) + add, 0, 255).astype(np.uint8)
            Image.fromarray(picture).save(made / label / f"{label}{at}.png")
    return made


def test_evaluate_refits_a_bundle(labelled, folder, tmp_path, capsys):
    out, new = tmp_path / "out", tmp_path / "new"
    assert main([str(labelled), "--output", str(out), "--bundle", str(folder), "--fit", str(new)]) == 0
    assert f"deepfake export {new}" in capsys.readouterr().out
    assert describe(new).identity.version == "1.0+fitted"
    fitted = json.loads((out / "fit.json").read_text())
    assert fitted["files"] == 40 and describe(new).stacking.intercept == pytest.approx(
        fitted["stacking"]["intercept"], abs=1e-6
    )


def test_what_is_judged_is_what_the_pipeline_answers(labelled, folder, triton):
    """The bundle's own stacking on the faces that were kept gives its own scores."""
    samples = [Sample(path, False, "mine", path.stem, name=path.name) for path in sorted(labelled.rglob("*7.png"))]
    with served(triton) as connect:
        networks = TorchNetworks(folder, connect)
        predictions = predict(samples, lambda: networks, LITE_POLICY, lambda sample: sample.path, "predicting")
    served_bundle = describe(folder)
    assert file_scores(served_bundle.stacking, served_bundle.policy.real_scores, predictions) == pytest.approx(
        [each.y_score for each in predictions], abs=1e-6
    )


def test_another_bundle_than_the_one_served_is_refused(labelled, folder, triton, tmp_path):
    arguments = [str(labelled), "--output", str(tmp_path / "out")]
    with pytest.raises(UsageError, match=r"is two 1\.0 .*, but the Triton serves lite"):
        main([*arguments, "--triton", triton, "--bundle", str(folder), "--fit", str(tmp_path / "new")])
    assert not (tmp_path / "out").exists()


def test_a_bundle_beside_a_triton_is_for_refitting_alone(labelled, folder, tmp_path):
    with pytest.raises(UsageError, match="--bundle beside it is for --fit alone"):
        main([str(labelled), "--output", str(tmp_path), "--triton", "127.0.0.1:9", "--bundle", str(folder)])


def test_the_bundle_that_is_served_is_accepted(folder, tmp_path):
    """And too few files are told before any of them is looked at."""
    samples, _ = files(40, 0.4)
    check_fit(samples, folder, describe(folder), tmp_path / "new")
    with pytest.raises(UsageError, match="there are 19 reals"):
        check_fit(samples[1:], folder, describe(folder), tmp_path / "new")
