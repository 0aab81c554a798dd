"""Each reason for low certainty holds where its rule says, and only there."""

from dataclasses import replace

import pytest
from deepfake_client.analysis.certainty import reasons, unmeasured
from deepfake_contract.policy import CertaintyRules

SURE = {"first": 0.9, "second": 0.9}


def why(frames, clip, bundle, confidence=0.9, networks=SURE, is_video=True, truncated=False):
    return reasons(confidence, networks, frames, clip, bundle.policy, is_video, truncated)


@pytest.fixture
def plenty(face, frames):
    return frames(*([face(0.9)] for _ in range(8)))


def test_a_clear_case_has_no_reason(plenty, clip, bundle):
    assert why(plenty, clip, bundle) == []


@pytest.mark.parametrize(("confidence", "near"), [(0.34, False), (0.35, True), (0.65, True), (0.66, False)])
def test_near_the_threshold_is_what_the_policy_calls_uncertain(plenty, clip, bundle, confidence, near):
    assert ("near_threshold" in why(plenty, clip, bundle, confidence)) is near


@pytest.mark.parametrize(("lowest", "disagree"), [(0.5, False), (0.3, True)])
def test_networks_disagree_when_their_means_lie_far_apart(plenty, clip, bundle, lowest, disagree):
    networks = {"first": 0.9, "second": lowest}
    assert ("networks_disagree" in why(plenty, clip, bundle, networks=networks)) is disagree


def test_faces_in_three_frames_of_a_clip_are_few(face, frames, clip, bundle):
    assert why(frames(*[[face(0.9)]] * 3, *[[]] * 5), clip, bundle) == ["few_faces"]


def test_faces_in_less_than_a_quarter_of_a_clip_are_few(face, frames, clip, bundle):
    assert why(frames(*[[face(0.9)]] * 7, *[[]] * 25), clip, bundle) == ["few_faces"]


def test_a_clip_of_one_frame_can_be_certain(face, frames, clip, bundle):
    assert why(frames([face(0.9)]), clip, bundle) == []


def test_a_picture_never_has_few_faces(face, frames, clip, bundle):
    assert why(frames([face(0.9)]), clip, bundle, is_video=False) == []


@pytest.mark.parametrize(("side", "small"), [(48, False), (47, True)])
def test_small_faces_are_those_that_decide(face, frames, clip, bundle, side, small):
    seen = frames(*([face(0.9, side=side), face(0.1, side=300)] for _ in range(8)))
    assert ("small_faces" in why(seen, clip, bundle)) is small


def test_whole_frames_are_neither_few_nor_small(face, frames, clip, bundle):
    policy = replace(bundle.policy, crop="frame")
    assert reasons(0.9, SURE, frames([face(0.9, track=None, side=20)], []), clip, policy, True) == []


@pytest.mark.parametrize(
    ("codec", "bits", "strong"),
    [
        ("h264", 0.0045, True),
        ("h264", 0.037, False),
        ("vp9", 0.0045, True),
        ("vp9", 0.009, False),
        ("gif", 0.001, False),
    ],
)
def test_strong_compression_is_few_bits_a_pixel_and_frame(plenty, clip, bundle, codec, bits, strong):
    media = replace(clip, codec=codec, bytes=int(bits * clip.width * clip.height * 300 / 8))
    assert ("strong_compression" in why(plenty, media, bundle)) is strong


@pytest.mark.parametrize(("codec", "strong"), [("jpeg", True), ("png", False)])
def test_a_jpeg_of_few_bits_is_strongly_compressed(face, frames, clip, bundle, codec, strong):
    size = clip.width * clip.height // 25
    media = replace(clip, container=codec, codec=codec, bytes=size, duration_s=None, frame_rate=None)
    assert ("strong_compression" in why(frames([face(0.9)]), media, bundle, is_video=False)) is strong


def test_compression_of_a_clip_without_a_known_length_is_not_judged(plenty, clip, bundle):
    media = replace(clip, bytes=1000, duration_s=None)
    assert why(plenty, media, bundle) == []


@pytest.mark.parametrize(("truncated", "found"), [(True, ["truncated"]), (False, [])])
def test_a_picture_that_a_part_is_missing_of_is_never_certain(face, frames, clip, bundle, truncated, found):
    assert why(frames([face(0.9)]), clip, bundle, is_video=False, truncated=truncated) == found


def with_rules(bundle, **numbers):
    return replace(bundle.policy, certainty=CertaintyRules(**numbers))


def test_a_rule_that_the_bundle_has_no_number_for_does_not_exist(face, frames, clip, bundle):
    tiny, torn = frames([face(0.9, side=5)], [], [], [], [], [], []), {"first": 1.0, "second": 0.0}
    media = replace(clip, bytes=1)
    assert reasons(0.9, torn, tiny, media, bundle.policy, True) == [
        *("networks_disagree", "few_faces", "small_faces", "strong_compression")
    ]
    assert reasons(0.9, torn, tiny, media, with_rules(bundle), True) == []


@pytest.mark.parametrize(("rule", "few"), [({"few_face_frames": 3}, [1, 2]), ({"few_face_share": 0.5}, [1, 2, 3])])
def test_few_faces_need_only_one_of_their_two_numbers(face, frames, clip, bundle, rule, few):
    policy = with_rules(bundle, **rule)
    seen = {count: frames(*[[face(0.9)]] * count, *[[]] * (8 - count)) for count in range(1, 9)}
    assert [count for count, each in seen.items() if reasons(0.9, SURE, each, clip, policy, True)] == few


def test_what_the_bundle_lacks_is_named(bundle):
    assert unmeasured(bundle.policy) == []
    assert unmeasured(with_rules(bundle, network_spread=0.5, few_face_share=0.5)) == [
        "small faces", "strong compression",
    ]  # fmt: skip


def test_whole_frames_lack_no_rule_of_faces(bundle):
    assert unmeasured(replace(with_rules(bundle), crop="frame")) == ["networks that disagree", "strong compression"]
