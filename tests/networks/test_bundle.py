"""What a bundle on disk may be, and how a wrong one is told."""

import json
import logging
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from deepfake_contract.description import BundleDescription, Identity
from deepfake_contract.errors import BundleError
from deepfake_contract.stacking import Stacking
from deepfake_networks.bundle import Bundle, describe
from deepfake_networks.profiles import BASE, LITE_POLICY
from deepfake_networks.weights import compact, save_network
from deepfake_networks.writing import write_bundle
from families import FAMILIES

FIRST = FAMILIES[0].weights


def test_a_written_bundle_is_read_back(bundle_folder, networks):
    bundle = Bundle.load(bundle_folder)
    assert bundle.description.policy == LITE_POLICY
    assert [network.spec for network in bundle.networks.values()] == list(FAMILIES)
    for network, written in zip(bundle.networks.values(), networks, strict=True):
        for key, value in written.state_dict().items():
            assert torch.equal(network.state_dict()[key], value), key


def test_a_zero_is_written_and_read_back(tmp_path, networks):
    """An intercept of 0 is a number, not something left out."""
    stacking = Stacking((0.0,), (1.0,), (0.0,), 0.0)
    write_bundle(tmp_path, Identity("zero", "1"), networks[:1], stacking, replace(LITE_POLICY, face_margin=0.0))
    description = describe(tmp_path)
    assert (description.stacking, description.policy.face_margin) == (stacking, 0.0)


def test_the_description_is_plain_json_and_read_back(bundle_folder, estimators):
    scaler, regression = estimators
    description = describe(bundle_folder)
    plain = json.loads(json.dumps(description.to_json()))
    assert BundleDescription.from_json(plain) == description
    assert plain["identity"] == {"name": "test", "version": "1.2.3"}
    assert [(each["name"], each["architecture"]) for each in plain["networks"]] == [
        (spec.name, spec.architecture) for spec in FAMILIES
    ]
    assert plain["policy"]["uncertain"] == [0.35, 0.65]
    assert plain["stacking"] == {
        "mean": scaler.mean_.tolist(),
        "scale": scaler.scale_.tolist(),
        "coefficients": regression.coef_[0].tolist(),
        "intercept": regression.intercept_[0],
    }


def test_the_digest_is_what_a_shell_computes(bundle_folder):
    command = "sha256sum $(ls | LC_ALL=C sort) | sha256sum"
    printed = subprocess.run(command, shell=True, cwd=bundle_folder, capture_output=True, text=True, check=True).stdout
    assert describe(bundle_folder).digest == f"sha256:{printed.split()[0]}"


def test_the_digest_changes_with_a_weight(bundle_folder, change_state):
    changed = change_state(lambda state: state["classifier.4.bias"].add_(1))
    assert describe(changed).digest != describe(bundle_folder).digest


def test_another_file_in_the_folder_does_not_change_the_digest(bundle_folder, damaged):
    (damaged / "README.md").write_text("Notes")
    assert describe(damaged).digest == describe(bundle_folder).digest


def test_float16_weights_are_read_as_float32(damaged, networks):
    save_network(damaged, networks[0], half=True)
    state = Bundle.load(damaged).networks["efficientnet"].state_dict()
    expected = networks[0].state_dict()["classifier.1.weight"].half().float()
    assert torch.equal(state["classifier.1.weight"], expected)
    assert (damaged / FIRST).stat().st_size < 0.6 * sum(each.numel() * 4 for each in networks[0].parameters())


def test_compact_weights_are_near_and_their_file_is_smaller(tmp_path, networks):
    def stored() -> int:
        save_network(tmp_path, networks[0], half=True)
        return (tmp_path / FIRST).stat().st_size

    kept = {key: value.clone() for key, value in networks[0].state_dict().items()}
    as_they_were = stored()
    try:
        compact(networks[0])
        for key, value in networks[0].state_dict().items():
            assert torch.allclose(value, kept[key], rtol=0.016 if value.ndim > 1 else 0, atol=0), key
        assert stored() < 0.8 * as_they_were
    finally:
        networks[0].load_state_dict(kept)


def test_a_weight_too_large_for_float16_is_refused(tmp_path, networks):
    weight = networks[0].classifier[4].weight
    kept = weight.detach().clone()
    with torch.no_grad():
        weight.mul_(1e9)
    try:
        with pytest.raises(
            BundleError, match=r"efficientnet.*classifier\.4\.weight is not finite as torch\.float16.*--seed"
        ):
            save_network(tmp_path, networks[0], half=True)
    finally:
        with torch.no_grad():
            weight.copy_(kept)


def test_a_bare_state_dict_is_taken(damaged):
    torch.save(torch.load(damaged / FIRST, weights_only=True)["model_state"], damaged / FIRST)
    assert Bundle.load(damaged).networks.keys() == {spec.name for spec in FAMILIES}


def test_tables_that_older_timm_saved_are_ignored(change_state):
    key = "backbone.layers.0.blocks.0.attn.relative_position_index"
    assert Bundle.load(change_state(lambda state: state.update({key: torch.zeros(49, 49)})))


def test_five_files_alone_are_the_original_system_and_the_log_says_so(tmp_path, caplog):
    with caplog.at_level(logging.WARNING), pytest.raises(BundleError) as refused:
        Bundle.load(tmp_path)
    assert "read as the original system (base)" in caplog.text
    for file in [spec.weights for spec in BASE] + ["meta_scaler.pkl", "meta_logreg.pkl"]:
        assert file in str(refused.value)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BundleError, match=r"no bundle's folder .*/missing"):
        Bundle.load(tmp_path / "missing")


def test_a_missing_file_is_named(damaged):
    (damaged / FIRST).unlink()
    with pytest.raises(BundleError, match=rf"{FIRST} is missing"):
        Bundle.load(damaged)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("classifier.4.bias"), r"lacks classifier\.4\.bias"),
        (lambda state: state.update(extra=torch.ones(1)), r"has unexpected extra"),
        (lambda state: state.update({"classifier.4.bias": torch.ones(3)}), r"has shape \(3,\), not \(2,\)"),
        (lambda state: state.update({"classifier.4.bias": torch.ones(2, dtype=torch.int64)}), r"is torch\.int64"),
        (lambda state: state["classifier.4.bias"].fill_(float("nan")), r"not finite"),
        (lambda state: state["backbone.bn1.running_var"].fill_(float("inf")), r"not finite"),
    ],
    ids=["missing", "unexpected", "shape", "type", "nan", "infinite"],
)
def test_a_wrong_state_dict_is_told_by_file_and_key(change_state, change, message):
    with pytest.raises(BundleError, match=rf"^{FIRST}.*{message}"):
        Bundle.load(change_state(change))


def test_a_checkpoint_that_holds_more_than_weights_is_refused_with_the_cure(damaged):
    torch.save({"model_state": {"x": Path("/")}}, damaged / FIRST)
    with pytest.raises(BundleError, match=rf"^{FIRST}.*save it again with torch\.save"):
        Bundle.load(damaged)


def test_a_damaged_checkpoint_is_refused(damaged):
    (damaged / FIRST).write_bytes(b"not a checkpoint")
    with pytest.raises(BundleError, match=rf"^{FIRST} is damaged"):
        Bundle.load(damaged)


def test_a_checkpoint_without_a_state_dict_is_refused(damaged):
    torch.save([1, 2, 3], damaged / FIRST)
    with pytest.raises(BundleError, match=rf"^{FIRST} holds no state dict"):
        Bundle.load(damaged)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "test"', "", r"\[bundle\] lacks the key 'name'"),
        ('name = "test"', "name = 5", r"\[bundle\] name must be str, but is 5"),
        ("[policy]", "[rules]", r"unknown table 'rules'"),
        ("frames = 32", "frames = 0", r"\[policy\] frames must be above 0"),
        ("frames = 32", "frame = 32", r"\[policy\] has an unknown key 'frame'"),
        ('crop = "face"', 'crop = "head"', r"crop must be"),
        ('sampling = "even"', 'sampling = "odd"', r"sampling must be"),
        ("uncertain = [0.35, 0.65]", "uncertain = [0.65, 0.35]", r"uncertain must be two probabilities"),
        ('name = "swin"', 'name = "Swin"', r"name must be a lower-case letter"),
        ('name = "swin"', 'name = "fft_branch"', r"none of deepfake_ensemble, fft_branch"),
        ('name = "swin"', 'name = "convnext"', r"1 to 8 with different names"),
        ('name = "swin"', 'role = "swin"', r"\[networks\] 3 has an unknown key 'role'"),
        ("[[networks]]", "[networks]", r"can't be read|must have a table \[\[networks\]\]"),
        ("size = 56", "size = 57", r"efficientnet: the fft's size must divide the crop's side of 224"),
        ("crop_side = 224", "crop_side = 0", r"crop_side must be between 32 and 1024"),
        ("mean = [0.5, 0.5, 0.5]", "mean = [0.5, 0.5]", r"mean must be tuple"),
        ("intercept = ", "intercepts = ", r"\[stacking\] has an unknown key 'intercepts'"),
        ("coefficients = [", "coefficients = [1, ", r"\[stacking\] mean, scale and coefficients must have one number"),
        ("[policy.certainty]", "[policy.certainty]\nsmall_face_side = 0", r"small_face_side must be a number above 0"),
        ("[policy.certainty]", "[policy.certainty]\nsmall = 1", r"certainty has an unknown key 'small'"),
        ("std = [0.5, 0.5, 0.5]", "std = [0.5, 0.5]", r"std must be tuple"),
        ("std = [0.5, 0.5, 0.5]", "std = [0.5, 0.5, 0]", r"std must be above 0"),
        ('"tf_efficientnet_lite0"', '"nonet"', r"can't make architecture 'nonet'"),
        (f'"{FIRST}"', '"../weights.pth"', r"weights must be the name of a file"),
        (f'"{FIRST}"', '"/weights.safetensors"', r"weights must be the name of a file"),
        ("[bundle]", "[bundle", r"bundle\.toml can't be read"),
    ],
)
def test_a_wrong_bundle_toml_is_told_by_key(damaged, old, new, message):
    path = damaged / "bundle.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(BundleError, match=message):
        Bundle.load(damaged)


def test_a_bundle_says_what_another_architecture_makes_wrong(damaged):
    path = damaged / "bundle.toml"
    path.write_text(path.read_text().replace("tf_efficientnet_lite0", "tf_efficientnet_lite1"))
    with pytest.raises(BundleError, match=r"it must be a tf_efficientnet_lite1"):
        Bundle.load(damaged)


def test_false_positive_rate_is_kept(damaged):
    path = damaged / "bundle.toml"
    path.write_text(path.read_text().replace("frames = 32", "frames = 32\nfalse_positive_rate = 0.04"))
    assert describe(damaged).policy.false_positive_rate == 0.04


def test_a_copy_elsewhere_has_the_same_digest(bundle_folder, tmp_path):
    copy = shutil.copytree(bundle_folder, tmp_path / "copy")
    assert describe(copy).digest == describe(bundle_folder).digest
