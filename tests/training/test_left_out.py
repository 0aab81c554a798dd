"""A source that nothing is learnt from."""

from collections import Counter
from pathlib import Path

from deepfake_training import splits
from deepfake_training.data import Sample
from deepfake_training.splits import hold_out, leave_out

SAMPLES = [
    Sample(Path(f"{source}{number}"), fake, source, f"{source}-{number // 4}", "")
    for source in ("swaps", "stills", "photos")
    for number in range(40)
    if (fake := bool(number % 2)) is False or source != "photos"
]


def test_nothing_of_it_is_learnt_or_held_out():
    learn, held, scored = leave_out("swaps", SAMPLES[:70], SAMPLES[70:])
    assert {sample.source for sample in learn + held} == {"stills", "photos"}
    assert {sample.source for sample in scored} == {"swaps"}
    assert len(learn + held + scored) == len(SAMPLES)


def test_half_of_what_is_scored_is_fake_and_always_the_same(monkeypatch):
    monkeypatch.setattr(splits, "SCORED", 20)
    _, _, scored = leave_out("swaps", SAMPLES, [])
    assert Counter(sample.fake for sample in scored) == {False: 10, True: 10}
    # How learning and held-out pictures are divided changes nothing.
    assert leave_out("swaps", SAMPLES[30:], SAMPLES[:30])[2] == scored


def test_a_source_with_reals_only_gives_reals_only():
    assert {sample.fake for sample in leave_out("photos", SAMPLES, [])[2]} == {False}


def test_sources_that_come_later_leave_the_others_held_out_as_they_were():
    """Whatever they are called: a network may go on from one that was trained before they were there."""
    before = hold_out(SAMPLES, 0.2, 7)[1]
    later = [Sample(Path(f"a{number}"), bool(number % 2), "a", f"a{number // 4}") for number in range(40)]
    after = hold_out(SAMPLES + later, 0.2, 7)[1]
    assert [sample for sample in after if sample.source != "a"] == before
    assert len(after) > len(before)
