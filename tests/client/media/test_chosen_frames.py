"""Which frames are chosen, and what must be decoded for them."""

import pytest
from deepfake_client.media.chosen_frames import choose
from deepfake_client.media.timeline import Timeline


def test_even_takes_the_middle_of_each_part():
    assert choose("even", 4, [each / 10 for each in range(40)], 4.0) == [5, 15, 25, 35]


def test_every_nth_counts_from_the_start_and_stops_at_the_limit():
    assert choose("every_nth:5", 32, range(1000), 1000) == list(range(0, 160, 5))
    assert choose("every_nth:5", 32, range(11), 11) == [0, 5, 10]


@pytest.mark.parametrize("count", [1, 2, 31, 32, 33, 64, 1000])
def test_as_many_distinct_frames_as_there_are_up_to_the_limit(count):
    for times in (
        [each**3 for each in range(count)],
        list(range(count)),
        [1 - 1 / (each + 1) for each in range(count)],
    ):
        chosen = choose("even", 32, times, times[-1] + 1)
        assert len(chosen) == min(count, 32)
        assert chosen == sorted(set(chosen))
        assert chosen[0] >= 0 and chosen[-1] < count


def test_only_the_groups_that_hold_chosen_frames_are_decoded():
    # Keyframes every ten packets, no reordering: from each one's keyframe to the frame itself.
    timeline = Timeline(list(range(100)), 100, list(range(100)), [(each, each) for each in range(0, 100, 10)])
    assert timeline.runs([5, 55, 58, 90]) == [(0, 5), (50, 58), (90, 90)]


def test_neighbouring_groups_are_decoded_in_one_go():
    timeline = Timeline(list(range(30)), 30, list(range(30)), [(0, 0), (10, 10), (20, 20)])
    assert timeline.runs([9, 10]) == [(0, 10)]


def test_frame_shown_before_its_keyframe_needs_the_one_before_it():
    # Decoded: 0 1 2 | 5 3 4; frame 5 is a keyframe that 3 and 4, shown earlier, are made from together with 2.
    timeline = Timeline(list(range(6)), 6, [0, 1, 2, 4, 5, 3], [(0, 0), (3, 5)])
    assert timeline.runs([5]) == [(3, 3)]
    assert timeline.runs([3]) == [(0, 4)]
    assert timeline.runs([2, 4, 5]) == [(0, 5)]
