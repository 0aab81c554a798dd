"""From faces to what the networks see."""

import numpy as np
import pytest
from deepfake_client.analysis.prepare import looks
from deepfake_client.analysis.served_bundle import Policy
from deepfake_client.faces.detect import Face
from deepfake_client.media.frame import Frame
from deepfake_client.results import Box

POLICY = Policy("face", 0.05, "even", 32, "mean", 0.5, (0.35, 0.65))


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
    (look,) = looks([(frame, [Face(box, 0.99, np.zeros((5, 2)))])], POLICY, False)
    assert [view.cut for view in look.views] == [cut]


def test_a_whole_frame_is_not_cut():
    frame = Frame(0, 0.0, np.zeros((200, 200, 3), np.uint8))
    (look,) = looks([(frame, None)], POLICY, False)
    assert [view.cut for view in look.views] == [False]
