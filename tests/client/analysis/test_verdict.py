"""The verdict's numbers."""

import math
from dataclasses import replace

import pytest
from deepfake_client.analysis.prepare import result_of_faces
from deepfake_client.analysis.verdict import tracks, verdict


def test_confidence_is_the_mean_of_the_frames_highest_faces(bundle, clip, face, frames):
    seen = frames([face(0.2), face(0.8, track=2)], [face(0.4), face(0.1, track=2)])
    assert verdict(seen, clip, bundle, True).confidence == pytest.approx(0.6)


def test_a_face_that_the_edge_cuts_decides_only_where_no_whole_one_is_seen(bundle, clip, face, frames):
    seen = frames([face(0.2), face(0.8, track=2, cut=True)], [face(0.6, track=2, cut=True)])
    assert verdict(seen, clip, bundle, True).confidence == pytest.approx(0.4)


def test_frames_without_a_face_are_left_out_of_the_mean(bundle, clip, face, frames):
    assert verdict(frames([face(0.9)], [], []), clip, bundle, True).confidence == pytest.approx(0.9)


def test_no_face_at_all_is_no_verdict(bundle, clip, frames):
    answer = verdict(frames([], []), clip, bundle, True)
    assert (answer.label, answer.confidence, answer.certainty, answer.networks, answer.reasons) == (
        "NO FACE", None, None, None, [],
    )  # fmt: skip


@pytest.mark.parametrize(("confidence", "label"), [(0.5, "FAKE"), (0.4999, "REAL"), (1.0, "FAKE"), (0.0, "REAL")])
def test_the_label_is_fake_from_the_threshold_up(bundle, clip, face, frames, confidence, label):
    assert verdict(frames([face(confidence)]), clip, bundle, True).label == label


def test_networks_are_means_over_the_faces_that_decide(bundle, clip, face, frames):
    low, high = {"first": 0.1, "second": 0.1}, {"first": 0.9, "second": 0.7}
    seen = frames([face(0.9, networks=high), face(0.1, networks=low)], [face(0.1, networks=low)])
    assert verdict(seen, clip, bundle, True).networks == pytest.approx({"first": 0.5, "second": 0.4})


def test_contributions_sum_to_the_mean_of_the_stacked_logits(bundle, clip, face, frames):
    readings = [{"first": 0.9, "second": 0.2}, {"first": 0.4, "second": 0.5}]
    logits = []
    for each in readings:
        stacking = bundle.description.stacking
        scaled = [(p - m) / s for p, m, s in zip(each.values(), stacking.mean, stacking.scale, strict=True)]
        logits.append(sum(c * s for c, s in zip(stacking.coefficients, scaled, strict=True)) + stacking.intercept)
    probabilities = [1 / (1 + math.exp(-logit)) for logit in logits]
    seen = frames(*([face(p, networks=each)] for p, each in zip(probabilities, readings, strict=True)))
    contributions = verdict(seen, clip, bundle, True).contributions
    assert contributions.keys() == {"first", "second", "intercept"}
    assert sum(contributions.values()) == pytest.approx(sum(logits) / 2)


def test_what_the_number_of_faces_takes_away_is_told(bundle, clip, face):
    """And the contributions still sum to the frame's logit."""
    policy = replace(bundle.policy, real_scores=(0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.6, 0.7, 0.85, 0.95))
    stacked = 1 / (1 + math.exp(-sum(bundle.description.contributions({"first": 0.7, "second": 0.5}).values())))
    high = face(stacked, networks={"first": 0.7, "second": 0.5})
    alone, among_three = ([high], [high, face(0.1, track=2), face(0.2, track=3)])
    answers = [verdict([result_of_faces(0, 0.0, faces, policy)], clip, bundle, False) for faces in (alone, among_three)]
    assert "faces" not in answers[0].contributions
    assert answers[1].contributions["faces"] < 0
    assert answers[1].confidence < answers[0].confidence == stacked
    for answer in answers:
        assert sum(answer.contributions.values()) == pytest.approx(
            math.log(answer.confidence / (1 - answer.confidence))
        )


def test_a_track_has_the_mean_and_the_span_of_its_own_frames(face, frames):
    found = tracks(frames([face(0.2)], [face(0.4), face(0.9, track=2)], [], [face(0.6)]))
    assert [(each.id, each.frames, each.first_s, each.last_s) for each in found] == [(1, 3, 0.0, 3.0), (2, 1, 1.0, 1.0)]
    assert [each.confidence for each in found] == pytest.approx([0.4, 0.9])


def test_whole_frames_make_no_tracks(face, frames):
    assert tracks(frames([face(0.2, track=None)])) == []
