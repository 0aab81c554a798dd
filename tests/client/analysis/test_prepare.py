"""From faces to what the networks see, and which face a frame is judged by."""

from dataclasses import replace

import numpy as np
import pytest
from deepfake_client.analysis.prepare import prepared, result_of_faces
from deepfake_client.faces.box import Box
from deepfake_client.faces.detect import Face
from deepfake_client.media.frame import Frame
from deepfake_contract.looks import corrected
from deepfake_contract.policy import Policy

POLICY = Policy("face", "even", 32, "mean", 0.5, (0.35, 0.65), 0.05, crop_side=96)
REAL_SCORES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.6, 0.7, 0.85, 0.95)


@pytest.mark.parametrize(
    ("box", "cut"),
    [
        ((40, 40, 50, 60), False),
        ((2, 40, 50, 60), False),
        ((1, 40, 50, 60), True),
        ((40, 0, 50, 60), True),
        ((150, 40, 50, 60), True),
        ((40, 140, 50, 60), True),
    ],
)
def test_a_face_at_the_pictures_edge_is_taken_to_be_cut(box: Box, cut):
    frame = Frame(0, 0.0, np.zeros((200, 200, 3), np.uint8))
    (ready,) = prepared([(frame, [Face(box, 0.99, np.zeros((5, 2)))])], POLICY, False)
    assert [crop.cut for crop in ready.crops] == [cut]


def test_a_whole_frame_is_not_cut():
    frame = Frame(0, 0.0, np.zeros((200, 200, 3), np.uint8))
    (ready,) = prepared([(frame, None)], POLICY, False)
    assert [crop.cut for crop in ready.crops] == [False]


@pytest.mark.parametrize(("faces", "side"), [([Face((40, 40, 50, 60), 0.99, np.zeros((5, 2)))], 60), (None, 300)])
def test_crops_have_the_policys_side_and_know_how_large_the_face_was(faces, side):
    frame = Frame(0, 0.0, np.zeros((200, 300, 3), np.uint8))
    (ready,) = prepared([(frame, faces)], POLICY, False)
    assert [(crop.pixels.shape, crop.face_side) for crop in ready.crops] == [((96, 96, 3), side)]


@pytest.mark.parametrize(
    ("faces", "deciding"),
    [
        ([], None),
        ([(0.2, False), (0.8, False)], 1),
        ([(0.2, False), (0.8, True)], 0),
        ([(0.2, True), (0.8, True)], 1),
        ([(0.5, False), (0.5, False)], 0),
    ],
)
def test_the_highest_whole_face_decides(face, faces, deciding):
    seen = [face(confidence, cut=cut) for confidence, cut in faces]
    frame = result_of_faces(0, 0.0, seen, POLICY)
    assert frame.deciding == deciding
    assert frame.deciding_face == (None if deciding is None else seen[deciding])
    assert frame.confidence == (None if deciding is None else faces[deciding][0])


def test_the_highest_of_several_counts_for_less(face):
    """As far as several could have been the highest: those that the edge cuts could not."""
    policy = replace(POLICY, real_scores=REAL_SCORES)
    three = [face(0.9), face(0.1), face(0.2)]
    counted = [
        result_of_faces(0, 0.0, faces, policy) for faces in (three[:1], [*three[:1], face(0.1, cut=True)], three)
    ]
    assert [frame.confidence for frame in counted] == [0.9, 0.9, pytest.approx(corrected(0.9, 3, REAL_SCORES))]
    assert counted[2].confidence < 0.8 and counted[2].faces[0].confidence == 0.9
