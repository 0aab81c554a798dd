"""A bundle's description: what it may say, that JSON holds all of it, and that its numbers add up."""

import json
import math
from dataclasses import replace

import pytest
from deepfake_contract.description import BundleDescription, FFTSpec, Identity, NetworkSpec
from deepfake_contract.errors import BundleError
from deepfake_contract.policy import CertaintyRules, Policy
from deepfake_contract.stacking import Stacking

POLICY = Policy(
    crop="face",
    sampling="every_nth:5",
    frames=32,
    aggregate="mean",
    threshold=0.5,
    uncertain=(0.4, 0.6),
    certainty=CertaintyRules(network_spread=0.5, strong_compression={"jpeg": 0.4}),
)


def description(count: int, **changes) -> BundleDescription:
    networks = tuple(NetworkSpec(f"network_{at}", "resnet18", f"{at}.pth") for at in range(count))
    stacking = Stacking((0.5,) * count, (0.25,) * count, tuple(map(float, range(1, count + 1))), -1.0)
    return replace(BundleDescription(Identity("many", "1"), "sha256:00", networks, POLICY, stacking), **changes)


@pytest.mark.parametrize("count", [1, 2, 4, 8])
def test_json_holds_all_of_it(count):
    given = description(count)
    assert BundleDescription.from_json(json.loads(json.dumps(given.to_json()))) == given


def test_nine_networks_or_two_of_one_name_are_refused():
    with pytest.raises(ValueError, match="1 to 8 with different names"):
        description(9)
    twice = (NetworkSpec("same", "resnet18", "a.pth"),) * 2
    with pytest.raises(ValueError, match="different names"):
        description(2, networks=twice)


def test_a_stacking_of_another_number_of_networks_is_refused():
    with pytest.raises(ValueError, match="2 numbers for 3 networks"):
        description(3, stacking=description(2).stacking)


def test_a_spectrum_that_does_not_divide_the_crop_is_refused():
    spec = NetworkSpec("network_0", "resnet18", "0.pth", fft=FFTSpec(size=50))
    with pytest.raises(ValueError, match="network network_0: the fft's size must divide the crop's side of 224"):
        description(1, networks=(spec,))


@pytest.mark.parametrize("name", ["Swin", "1st", "meta_model", "intercept", "", "a" * 33, "a-b"])
def test_a_name_that_triton_or_a_result_can_not_have_is_refused(name):
    with pytest.raises(ValueError, match="name must be a lower-case letter"):
        NetworkSpec(name, "resnet18", "a.pth")


def test_contributions_sum_to_the_logit_of_the_stacking():
    given = description(3)
    scores = {"network_0": 0.9, "network_1": 0.2, "network_2": 0.6}
    added = given.contributions(scores)
    assert list(added) == [*given.names, "intercept"]
    expected = sum((at + 1) * (score - 0.5) / 0.25 for at, score in enumerate(scores.values())) - 1.0
    assert math.isclose(sum(added.values()), expected)


def test_heatmap_weights_are_slopes_whose_absolute_values_sum_to_one():
    stacking = Stacking((0.5, 0.5), (0.5, 0.25), (1.0, -1.0), 0.0)
    assert stacking.heatmap_weights() == pytest.approx((1 / 3, -2 / 3))
    assert Stacking((0.5,), (1.0,), (0.0,), 0.0).heatmap_weights() == (0.0,)


def test_the_tensors_follow_the_bundle():
    given = description(4, policy=replace(POLICY, crop_side=192))
    assert [(each.name, each.dims) for each in given.inputs] == [("CROPS", (192, 192, 3))]
    assert [(each.name, each.dims) for each in given.outputs] == [
        ("PROBABILITY", (1,)),
        ("MODEL_PROBABILITIES", (4,)),
        ("HEATMAP", (7, 7)),
    ]
    told = replace(given.networks[0], face_side=True)
    assert [each.name for each in replace(given, networks=(told, *given.networks[1:])).inputs] == ["CROPS", "FACE_SIDE"]


@pytest.mark.parametrize(
    ("table", "key", "value", "message"),
    [
        ("policy", "sampling", "every_nth:0", 'policy sampling must be "even" or "every_nth:5"'),
        ("policy", "threshold", 1.0, "policy threshold must be between 0 and 1"),
        ("policy", "fake_from", 1.2, "policy fake_from must be between 0 and 1"),
        ("policy", "real_below", -0.1, "policy real_below must be between 0 and 1"),
        ("stacking", "scale", [1.0, -1.0], "stacking scale must be above 0"),
        ("stacking", "intercept", "none", "stacking intercept must be float, but is 'none'"),
        ("networks", None, {}, "networks must be"),
        ("identity", "motto", "x", "unknown key 'motto'"),
    ],
)
def test_what_is_wrong_in_a_served_description_is_named(table, key, value, message):
    plain = description(2).to_json()
    if key is None:
        plain[table] = value
    else:
        plain[table][key] = value
    with pytest.raises(BundleError, match=message):
        BundleDescription.from_json(plain)


def test_thresholds_of_strong_evidence_are_served_where_there_are_any():
    """A bundle without them is described in the words that clients before them knew."""
    without, both = description(2), description(2, policy=replace(POLICY, fake_from=0.9, real_below=0.2))
    assert not {"fake_from", "real_below", "false_positive_rate"} & without.to_json()["policy"].keys()
    assert BundleDescription.from_json(both.to_json()).policy == both.policy
    assert (both.policy.fake_from, both.policy.real_below) == (0.9, 0.2)


@pytest.mark.parametrize(("real_below", "fake_from"), [(0.6, 0.5), (0.5, 0.5)])
def test_a_score_can_not_be_strong_evidence_of_both(real_below, fake_from):
    with pytest.raises(ValueError, match=r"real_below must be below fake_from \(0.5\)"):
        replace(POLICY, fake_from=fake_from, real_below=real_below)


@pytest.mark.parametrize("rules", [{"network_spread": 0.0}, {"small_face_side": float("nan")}])
def test_a_certainty_rule_needs_a_number_above_0(rules):
    with pytest.raises(ValueError, match="must be a number above 0"):
        CertaintyRules(**rules)


def test_a_codec_of_the_compression_rule_needs_a_number():
    with pytest.raises(ValueError, match="strong_compression jpeg must be a number above 0, but is 'low'"):
        CertaintyRules(strong_compression={"jpeg": "low"})  # type: ignore[dict-item]
