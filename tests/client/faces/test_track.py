"""Faces keep their track while they can be followed."""

from deepfake_client.faces.track import MEMORY, Tracker


def test_a_face_that_moves_by_its_own_side_keeps_its_track():
    tracker = Tracker()
    assert [tracker.follow([(100.0 * at, 50.0, 80.0, 100.0)]) for at in range(5)] == [[1]] * 5


def test_two_faces_in_another_order_keep_their_tracks():
    tracker = Tracker()
    left, right = (0.0, 0.0, 80.0, 100.0), (500.0, 0.0, 80.0, 100.0)
    assert tracker.follow([left, right]) == [1, 2]
    assert tracker.follow([right, left]) == [2, 1]


def test_the_nearest_pair_is_matched_first():
    tracker = Tracker()
    tracker.follow([(0.0, 0.0, 100.0, 100.0), (180.0, 0.0, 100.0, 100.0)])
    # Both are within reach of both; taken in order the first would get track 2's face.
    assert tracker.follow([(170.0, 0.0, 100.0, 100.0), (60.0, 0.0, 100.0, 100.0)]) == [2, 1]


def test_a_face_out_of_reach_begins_a_track():
    tracker = Tracker()
    tracker.follow([(0.0, 0.0, 80.0, 100.0)])
    assert tracker.follow([(900.0, 0.0, 80.0, 100.0)]) == [2]


def test_a_face_of_another_size_begins_a_track():
    tracker = Tracker()
    tracker.follow([(0.0, 0.0, 80.0, 100.0)])
    assert tracker.follow([(0.0, 0.0, 300.0, 300.0)]) == [2]


def test_a_face_that_was_hidden_for_a_while_keeps_its_track():
    tracker = Tracker()
    box = (0.0, 0.0, 80.0, 100.0)
    tracker.follow([box])
    for _ in range(MEMORY - 1):
        tracker.follow([])
    assert tracker.follow([box]) == [1]


def test_a_face_that_was_away_for_longer_begins_a_track():
    tracker = Tracker()
    box = (0.0, 0.0, 80.0, 100.0)
    tracker.follow([box])
    for _ in range(MEMORY):
        tracker.follow([])
    assert tracker.follow([box]) == [2]


def test_a_track_takes_one_face_of_a_frame():
    tracker = Tracker()
    tracker.follow([(0.0, 0.0, 100.0, 100.0)])
    assert sorted(tracker.follow([(5.0, 0.0, 100.0, 100.0), (30.0, 0.0, 100.0, 100.0)])) == [1, 2]
