"""The stacking fitted on sources that the networks never saw."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from deepfake_contract.errors import UsageError
from deepfake_networks.profiles import LITE_POLICY
from deepfake_training.left_out import LeftOut, cross_fitted, earning, fitted_policy, judged, read_left_out
from deepfake_training.scores import LEFT_OUT, Score, write_scores

SOURCES = ("swaps", "stills", "paintings")


def table(path: Path, quality: dict[str, float], pictures: int = 200, sources=SOURCES) -> Path:
    """Scores of networks which tell a fake as well as `quality` says: 0 not at all, 4 nearly always."""
    random = np.random.default_rng(0)
    scores = []
    for source in sources:
        for number in range(pictures):
            fake = number % 2
            for network, strength in quality.items():
                probability = 1 / (1 + np.exp(-random.normal(strength * (fake - 0.5), 1)))
                where = source, f"group{number // 2}", fake, f"{source}{number}.png"
                scores.append(Score(network, source, LEFT_OUT, *where, float(probability)))
    write_scores(path, scores)
    return path


def any_detail(left_out) -> dict[str, float]:
    return {path: float(number) for number, path in enumerate(left_out.path)}


def known(tmp_path: Path, networks: tuple[str, ...], quality: float = 0.0) -> LeftOut:
    """Answers to the sources learnt from, by the first network as good as `quality` says, by the others at chance."""
    given = {name: quality if name == networks[0] else 0.0 for name in networks}
    return read_left_out(table(tmp_path / "known.csv", given), networks)


def test_a_network_weighs_what_it_is_worth_at_home_and_away(tmp_path):
    networks = ("home", "away")
    left_out = read_left_out(table(tmp_path / "scores.csv", {"home": 0.0, "away": 2.0}), networks)
    stacking, policy = fitted_policy(left_out, known(tmp_path, networks), LITE_POLICY, any_detail(left_out))
    assert abs(stacking.coefficients[0]) < 0.2 * stacking.coefficients[1]
    stacking, policy = fitted_policy(left_out, known(tmp_path, networks, 2.0), LITE_POLICY, any_detail(left_out))
    assert 0.5 < stacking.coefficients[0] / stacking.coefficients[1] < 2
    low, high = policy.uncertain
    assert low < policy.threshold < high


def test_a_network_that_is_worth_nothing_earns_no_weight(tmp_path):
    """Which is no use to anybody; one is kept all the same, as a bundle needs one."""
    networks = ("good", "wrong", "better")
    left_out = read_left_out(table(tmp_path / "scores.csv", {"good": 2.0, "wrong": -1.0, "better": 3.0}), networks)
    assert earning(left_out, known(tmp_path, networks), 0.5) == [0, 2]
    assert earning(left_out.of_networks([1]), known(tmp_path, ("wrong",)), 0.5) == [0]


def test_thresholds_are_there_where_they_are_earned_and_absent_elsewhere(tmp_path, caplog):
    good = read_left_out(table(tmp_path / "good.csv", {"one": 5.0}, pictures=400), ("one",))
    _, policy = fitted_policy(good, known(tmp_path, ("one",), 5.0), LITE_POLICY, any_detail(good))
    assert policy.fake_from and policy.real_below and policy.real_below < policy.fake_from
    caplog.set_level(logging.INFO)
    chance = read_left_out(table(tmp_path / "chance.csv", {"one": 0.0}), ("one",))
    _, policy = fitted_policy(chance, known(tmp_path, ("one",), 5.0), LITE_POLICY, any_detail(chance))
    assert (policy.fake_from, policy.real_below) == (None, None)
    assert "swaps (left out): AUC" in caplog.text and "mean AUC" in caplog.text


def test_no_source_is_judged_by_a_stacking_that_saw_it(tmp_path):
    """One source is the other way round: its own stacking would turn it."""
    random = np.random.default_rng(1)
    left_out = read_left_out(table(tmp_path / "scores.csv", {"one": 3.0}), ("one",))
    turned = left_out.source == "paintings"
    probabilities = np.where(turned[:, None], 1 - left_out.probabilities, left_out.probabilities)
    turned_round = replace(left_out, probabilities=probabilities + random.normal(0, 1e-6, probabilities.shape))
    scores = cross_fitted(turned_round, known(tmp_path, ("one",), 3.0), 0.5)
    lines = judged(turned_round, scores, np.arange(len(turned)))
    paintings = next(line for line in lines if line.startswith("paintings"))
    assert float(paintings.split("AUC ")[1].split()[0]) < 0.2


def test_scores_that_go_with_sharpness_are_told(tmp_path):
    left_out = read_left_out(table(tmp_path / "scores.csv", {"one": 3.0}), ("one",))
    scores = cross_fitted(left_out, known(tmp_path, ("one",), 3.0), 0.5)
    with_it, without = (
        judged(left_out, scores, details)[0] for details in (scores, np.random.default_rng(0).random(600))
    )
    assert "score with detail +1.00" in with_it
    assert abs(float(without.rsplit(" ", 1)[1])) < 0.2


def test_what_is_missing_is_named(tmp_path):
    scores = table(tmp_path / "scores.csv", {"one": 1.0})
    with pytest.raises(UsageError, match=r"scores.csv has no scores of two: run `deepfake train --without all`"):
        read_left_out(scores, ("one", "two"))
    with pytest.raises(UsageError, match="scores of one source alone"):
        read_left_out(table(tmp_path / "scores.csv", {"one": 1.0}, sources=("swaps",)), ("one",))
