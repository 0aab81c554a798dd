"""What is measured in the time there is: the most important first, every way while that is possible."""

import pytest
from gpu_rates import BARE_CONCURRENCIES, BATCHES, CONCURRENCIES, ROUNDS, Setting, by_importance, choose, measure

WAYS = ["bare, networks in turn", "served", "recipe"]


def test_the_recipe_comes_first_and_large_batches_before_small_ones():
    settings = by_importance(WAYS)
    assert settings[0] == Setting("recipe", 1, 1)
    assert [each.batch for each in settings[1:]] == sorted((each.batch for each in settings[1:]), reverse=True)
    assert len(settings) == 1 + len(BATCHES) * (len(CONCURRENCIES) + len(BARE_CONCURRENCIES))
    assert {each.callers for each in settings if each.way == "served"} == {1, 2, 4, 8, 16, 32}


def test_everything_is_measured_where_there_is_time():
    settings = by_importance(WAYS)
    assert choose(settings, dict.fromkeys(settings, 1.0), ROUNDS * len(settings)) == (settings, ROUNDS)


def test_the_least_important_are_left_out_first():
    settings = by_importance(WAYS)
    chosen, rounds = choose(settings, dict.fromkeys(settings, 1.0), ROUNDS * 5)
    assert (chosen, rounds) == (settings[:5], ROUNDS)


def test_one_round_is_better_than_a_way_that_is_not_measured():
    settings = by_importance(WAYS)
    chosen, rounds = choose(settings, dict.fromkeys(settings, 1.0), 4)
    assert rounds == 1
    assert {each.way for each in chosen} == set(WAYS)


def test_what_costs_too_much_is_left_out_and_cheaper_ones_follow():
    settings = by_importance(WAYS)
    chosen, _ = choose(settings, {each: 100.0 if each.batch == 32 else 1.0 for each in settings}, 50)
    assert chosen and all(each.batch != 32 for each in chosen)


def test_a_costly_setting_does_not_crowd_out_another_way():
    settings = by_importance(WAYS)
    chosen, rounds = choose(settings, {each: 10.0 * each.batch * each.callers for each in settings}, 45)
    assert rounds == 1
    assert set(chosen) == {Setting(way, 1, 1) for way in WAYS}


def test_every_way_has_a_figure_even_where_there_is_no_time():
    settings = by_importance(WAYS)
    chosen, rounds = choose(settings, {each: 1.0 * each.batch * each.callers for each in settings}, -5.0)
    assert (set(chosen), rounds) == ({Setting(way, 1, 1) for way in WAYS}, 1)


class Counted:
    """A way whose call takes a tenth of a second a crop, so that its costs are known without a clock."""

    def __init__(self):
        self.calls, self.rates = [], []

    def call_s(self, batch):
        self.calls.append(batch)
        return batch / 10

    def rate(self, batch, callers, seconds):
        self.rates.append((batch, callers))
        return 10.0 + len(self.rates)


@pytest.fixture
def findings(tmp_path):
    from gpu_findings import Findings

    return Findings(tmp_path)


def test_settings_have_their_turn_in_every_round_and_the_rest_is_said(findings):
    way = Counted()
    settings = [Setting("served", 1, 1), Setting("served", 32, 32), Setting("served", 8, 1)]
    measure("base", "float32", {"served": way}, settings, 10, findings)
    assert way.rates == [(1, 1), (8, 1)] * ROUNDS
    assert [(each.batch, each.median) for each in findings.rates] == [(1, 13.0), (8, 14.0)]
    (left,) = findings.dropped
    assert "served, batch 32, 32 callers" in left["what"] and "batch 8" not in left["what"]


def test_a_round_ends_when_its_time_is_over_but_not_before_each_way_has_a_figure(findings, monkeypatch):
    clock = iter(range(0, 10_000, 40))  # each look at the clock finds 40 s gone
    monkeypatch.setattr("gpu_rates.time.monotonic", lambda: next(clock))
    ways = {"served": Counted(), "recipe": Counted()}
    measure("base", "float32", ways, by_importance(list(ways)), 100, findings)
    assert {each.way for each in findings.rates} == ways.keys()
    assert len(findings.rates) < len(by_importance(list(ways)))
    assert any(each["why"] == "no time" for each in findings.dropped)
    assert any("served, batch" in each["what"] for each in findings.dropped)


def test_a_large_batch_is_not_even_tried_where_one_crop_tells_that_it_takes_too_long(findings):
    way = Counted()
    measure("base", "float32", {"served": way}, [Setting("served", batch, 1) for batch in (32, 8, 1)], 3, findings)
    assert way.calls == [1]
    assert [each.batch for each in findings.rates] == [1]
