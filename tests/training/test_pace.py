"""How far a run is."""

import pytest
from deepfake_training import pace
from deepfake_training.pace import ByClock, BySteps


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

    monkeypatch.setattr(pace.time, "monotonic", lambda: Clock.now)
    return Clock


def test_steps_end_a_run_that_wants_so_many(clock):
    run = BySteps(4)
    run.begin()
    clock.now += 1000
    assert run.done() == 0
    run.steps = 3
    assert run.done() == 0.75
    run.steps = 4
    assert run.done() == 1


def test_the_clock_ends_a_run_that_has_so_long(clock):
    run = ByClock(60)
    run.begin()
    run.steps = 1
    clock.now += 15
    assert run.done() == 0.25
    clock.now += 45
    assert run.done() == 1


def test_one_step_is_taken_however_short_the_time(clock):
    run = ByClock(60)
    run.begin()
    clock.now += 61
    assert run.done() == 0
    run.steps = 1
    assert run.done() == 1


def test_the_time_before_a_stop_counts(clock):
    run = ByClock(60)
    clock.now += 500  # between making and beginning: reading pictures
    run.begin(steps=7, spent_s=30.0)
    clock.now += 15
    assert (run.steps, run.spent_s, run.done()) == (7, 45.0, 0.75)
