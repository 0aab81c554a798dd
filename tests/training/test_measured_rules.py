"""The rules of certainty, measured on made-up answers where the right number is known."""

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from deepfake_client.analysis.certainty import Measured
from deepfake_contract.plain_types import from_table
from deepfake_contract.policy import CertaintyRules, Policy
from deepfake_networks.profiles import LITE_POLICY
from deepfake_training.certainty_toml import certainty_toml
from deepfake_training.data import Sample
from deepfake_training.measured_rules import RuleFindings, certainty_findings
from deepfake_training.predictions import Prediction
from deepfake_training.rule_numbers import loosest

PLAIN = Measured(
    confidence=0.9, network_spread=0.0, frames=32, face_frames=None, face_side=200.0, codec="png", bits=20.0
)
POLICY = replace(LITE_POLICY, uncertain=(0.4, 0.6), certainty=CertaintyRules(network_spread=0.5))


def judged(measured: list[Measured], fake: np.ndarray) -> tuple[list[Sample], list[Prediction]]:
    samples = [Sample(Path(str(at)), bool(value), "s", str(at)) for at, value in enumerate(fake)]
    predictions = [
        Prediction(of.confidence, {"net": of.confidence}, "FAKE" if of.confidence >= 0.5 else "REAL", "high", 1, "", of)
        for of in measured
    ]
    return samples, predictions


def of_rule(findings: tuple[RuleFindings, ...], rule: str, codec: str = "") -> RuleFindings:
    return next(each for each in findings if (each.rule, each.codec) == (rule, codec))


def measure(changes: list[dict], wrong: np.ndarray, policy: Policy = POLICY) -> tuple[RuleFindings, ...]:
    """Of answers of which every other is about a fake, that are wrong where told."""
    fake = np.arange(len(changes)) % 2 == 1
    confidence = np.where(fake ^ wrong, 0.9, 0.1)
    measured = [
        replace(PLAIN, **({"confidence": float(value)} | change))
        for value, change in zip(confidence, changes, strict=True)
    ]
    return certainty_findings(*judged(measured, fake), policy)


def coin_where(unsure: np.ndarray) -> np.ndarray:
    """Wrong half of the time there, and one in twenty elsewhere."""
    return np.random.default_rng(1).random(len(unsure)) < np.where(unsure, 0.5, 0.05)


@pytest.mark.parametrize(
    ("rule", "name", "values", "unsure", "proposed"),
    [
        ("network_spread", "network_spread", np.linspace(0, 1, 2000), lambda value: value > 0.65, 0.65),
        ("few_face_frames", "face_frames", np.arange(2000) // 2 % 32 + 1, lambda value: value < 6, 6),
        ("few_face_share", "face_frames", np.arange(2000) // 2 % 32 + 1, lambda value: value < 16, 0.5),
        ("small_face_side", "face_side", np.linspace(10, 300, 2000), lambda value: value < 64, 64),
    ],
)
def test_the_number_is_found_from_which_on_answers_are_a_coin(rule, name, values, unsure, proposed):
    found = of_rule(measure([{name: value.item()} for value in values], coin_where(unsure(values))), rule)
    assert found.proposed == proposed
    assert found.marked_by_proposed.answers == unsure(values).sum()
    assert found.marked_by_proposed.error == pytest.approx(0.5, abs=0.06)


def test_each_codec_has_its_own_number():
    """JPEG is a coin under 0.4 bits, H.264 is right however strongly it is compressed."""
    bits = np.geomspace(0.01, 4, 2000)
    codecs = np.where(np.arange(2000) // 2 % 2 == 0, "jpeg", "h264")
    unsure = (codecs == "jpeg") & (bits < 0.4)
    rows = [{"codec": str(codec), "bits": float(value)} for codec, value in zip(codecs, bits, strict=True)]
    found = measure(rows, coin_where(unsure))
    jpeg = of_rule(found, "strong_compression", "jpeg")
    assert 0.3 < jpeg.proposed <= 0.41 and jpeg.marked.answers + jpeg.others.answers == 1000
    assert of_rule(found, "strong_compression", "h264").proposed is None


def around_the_threshold() -> tuple[RuleFindings, ...]:
    """A coin up to 0.2 from the threshold, and right beyond."""
    confidence = np.random.default_rng(0).random(4000)
    fake = np.where(np.abs(confidence - 0.5) < 0.2, np.arange(4000) % 2 == 1, confidence > 0.5)
    return certainty_findings(*judged([replace(PLAIN, confidence=float(each)) for each in confidence], fake), POLICY)


def test_the_band_is_found_around_the_threshold():
    found = of_rule(around_the_threshold(), "near_threshold")
    assert (found.number, found.proposed) == ((0.4, 0.6), (0.3, 0.7))
    assert found.marked.answers == pytest.approx(800, abs=80)


def test_what_the_present_number_marks_is_counted():
    """40 answers whose networks disagree, 18 of them wrong; 60 others, 6 of them wrong."""
    changes = [{"network_spread": 0.6}] * 40 + [{"network_spread": 0.5}] * 60
    found = of_rule(measure(changes, np.r_[np.arange(40) < 18, np.arange(60) < 6]), "network_spread")
    assert (found.number, found.marked.answers, found.marked.wrong) == (0.5, 40, 18)
    assert (found.others.answers, found.others.wrong) == (60, 6)
    assert found.marked.error == pytest.approx(18 / 40) and found.others.error == pytest.approx(6 / 60)


def test_two_rules_with_one_reason_are_counted_apart():
    """Of four clips of 32 frames the first shows faces in 3, the others in 6: few as a share, but not as a number."""
    policy = replace(POLICY, certainty=CertaintyRules(few_face_frames=4, few_face_share=0.25))
    found = measure([{"face_frames": 3}] + [{"face_frames": 6}] * 3, np.zeros(4, bool), policy)
    assert of_rule(found, "few_face_frames").marked.answers == 1
    assert of_rule(found, "few_face_share").marked.answers == 4


def test_a_bundle_without_a_rule_marks_nothing_by_it():
    found = of_rule(measure([{}] * 100, np.zeros(100, bool)), "small_face_side")
    assert (found.number, found.marked.answers, found.marked.error, found.others.answers) == (None, 0, None, 100)


@pytest.mark.parametrize(("count", "proposed"), [(19, None), (20, 0.95)])
def test_19_answers_are_too_few_to_judge_by(count, proposed):
    found = measure([{"network_spread": 0.99}] * count + [{}] * 40, np.arange(count + 40) < count)
    assert of_rule(found, "network_spread").proposed == proposed


def test_of_one_class_alone_nothing_is_known():
    found = certainty_findings(*judged([replace(PLAIN, network_spread=0.9)] * 60, np.ones(60, bool)), POLICY)
    assert all(each.proposed is None for each in found)


def test_pictures_and_files_without_an_answer_take_no_part():
    samples, predictions = judged([PLAIN, replace(PLAIN, face_frames=3)], np.array([True, False]))
    none = Prediction(None, None, "NO FACE", "", 1, "no face")
    found = certainty_findings([*samples, replace(samples[0], fake=False)], [*predictions, none], POLICY)
    judged_by = {each.rule: each.marked.answers + each.others.answers for each in found if not each.codec}
    assert judged_by["few_face_share"] == judged_by["few_face_frames"] == 1
    assert judged_by["network_spread"] == judged_by["small_face_side"] == 2


def test_reals_and_fakes_weigh_alike():
    """Nine reals to a fake, and every fake missed: a tenth of the answers, half of what matters."""
    y_true = np.arange(10_000) >= 9_000
    assert loosest([1.0], lambda number: np.ones(10_000, bool), y_true, y_true) == 1.0


def test_a_small_ring_is_joined_with_the_next_and_a_right_one_ends_it():
    y_true = np.arange(120) % 2 == 0
    value = np.repeat([1, 2, 3, 4], [10, 30, 40, 40])
    wrong = np.isin(value, (1, 2, 4))  # the last is wrong again, but beyond what is right
    assert loosest([1, 2, 3, 4], lambda number: value <= number, wrong, y_true) == 2


def test_a_strict_number_that_marks_right_answers_does_not_hide_a_looser_one():
    """As long as what the looser one marks is too often wrong as a whole."""
    y_true = np.arange(200) % 2 == 0
    value = np.repeat([1, 2, 3], [20, 80, 100])
    assert loosest([1, 2, 3], lambda number: value <= number, (value == 2) & (np.arange(200) % 8 < 4), y_true) == 2
    few_wrong = (value == 2) & (np.arange(200) % 5 < 2)  # 40 % of the ring, but 32 % of all that 2 marks
    assert loosest([1, 2, 3], lambda number: value <= number, few_wrong, y_true) is None


def test_the_proposals_are_a_table_that_a_bundle_can_have():
    values = np.linspace(0, 1, 2000)
    changes = [
        {"network_spread": float(value), "codec": "jpeg", "bits": float(1 - value) * 4 + 0.01, "face_side": 300.0}
        for value in values
    ]
    found = measure(changes, coin_where(values > 0.75))
    text = certainty_toml(found, "lite 0.4.0\ndeepfake evaluate x")
    rules = from_table(CertaintyRules, tomllib.loads(text)["policy"]["certainty"], "certainty")
    assert rules.network_spread == 0.75
    assert rules.strong_compression == {"jpeg": of_rule(found, "strong_compression", "jpeg").proposed}
    assert rules.small_face_side is None and "# small_face_side: no rule (2000 answers to judge by)" in text
    assert text.startswith("# lite 0.4.0\n# deepfake evaluate x\n")


def test_the_band_stands_beside_the_table_as_it_belongs_to_another():
    text = certainty_toml(around_the_threshold(), "")
    assert "# In [policy]: uncertain = [0.3, 0.7]" in text
    assert tomllib.loads(text)["policy"]["certainty"] == {}
