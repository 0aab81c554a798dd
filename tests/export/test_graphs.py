"""The parts of the graphs that are written by hand."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from deepfake_export.compact import store_exact_halves
from deepfake_export.face_detector import face_detector_model
from deepfake_export.fft_tables import TableSpectrum
from onnx import TensorProto, helper, numpy_helper
from PIL import Image


@pytest.fixture(scope="module")
def detect():
    session = onnxruntime.InferenceSession(face_detector_model().SerializeToString())

    def run(frame: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return tuple(session.run(["BOXES", "SCORES", "LANDMARKS"], {"FRAME": np.ascontiguousarray(frame)}))

    return run


def test_the_tables_give_the_spectrum_of_the_fourier_transform(astronaut):
    grey = torch.from_numpy(astronaut[:224, :224].mean(axis=2).astype(np.float32) / 128 - 1)[None, None]
    expected = torch.log1p(torch.fft.fft2(grey.double()).abs())
    assert (TableSpectrum(224)(grey) - expected).abs().max() < 1e-3


def test_the_tables_find_where_a_wave_lies():
    """5 waves down and 3 across: the peaks are at the two mirrored places, which a missing mirror would lose."""
    down, across = torch.meshgrid(torch.arange(224.0), torch.arange(224.0), indexing="ij")
    wave = torch.cos(2 * torch.pi * (5 * down + 3 * across) / 224)[None, None]
    peaks = (TableSpectrum(224)(wave)[0, 0] > 9).nonzero().tolist()
    assert peaks == [[5, 3], [219, 221]]


def test_the_face_is_found_where_it_is(detect, astronaut):
    boxes, scores, landmarks = detect(astronaut)
    x, y, width, height = boxes[scores.argmax()]
    assert scores.max() > 0.99
    assert (160 < x < 190) and (45 < y < 70) and (80 < width < 110) and (105 < height < 135)
    left_eye, right_eye, nose, *_ = landmarks[scores.argmax()]
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_eye[1] < nose[1]


def test_the_box_moves_with_the_face(detect, astronaut):
    boxes, scores, _ = detect(astronaut)
    moved = np.zeros((700, 801, 3), np.uint8)
    moved[111 : 111 + 512, 203 : 203 + 512] = astronaut
    found, found_scores, _ = detect(moved)
    offset = found[found_scores.argmax()] - boxes[scores.argmax()]
    assert offset == pytest.approx([203, 111, 0, 0], abs=4)


@pytest.mark.parametrize("size", [(1, 1), (31, 47), (33, 500), (720, 1280)])
def test_a_frame_of_any_size_is_taken(detect, size):
    boxes, scores, landmarks = detect(np.zeros((*size, 3), np.uint8))
    assert boxes.shape == (len(scores), 4)
    assert landmarks.shape == (len(scores), 5, 2)


def test_a_scene_without_a_face_has_no_sure_candidate(detect, temple):
    assert detect(temple)[1].max(initial=0) < 0.9


def test_blue_and_red_are_not_swapped_for_the_face_detector(detect, astronaut):
    small = np.asarray(Image.fromarray(astronaut).resize((128, 128)))
    assert detect(small)[1].max() > detect(small[:, :, ::-1])[1].max()


def test_only_values_that_float16_holds_exactly_are_stored_so():
    exact = np.arange(512, dtype=np.float32)
    inexact = exact + np.float32(1e-3)
    tables = {"exact": exact, "inexact": inexact, "short": exact[:8], "large": exact * 1e6}
    nodes = [helper.make_node("Identity", [name], [f"{name}_out"]) for name in tables]
    outputs = [helper.make_tensor_value_info(f"{name}_out", TensorProto.FLOAT, ["n"]) for name in tables]
    initialisers = [numpy_helper.from_array(value, name) for name, value in tables.items()]
    graph = helper.make_graph(nodes, "tables", [], outputs, initialisers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    stored = store_exact_halves(model)
    onnx.checker.check_model(stored)
    halves = [each.name for each in stored.graph.initializer if each.data_type == TensorProto.FLOAT16]
    assert halves == ["exact_half"]
    session = onnxruntime.InferenceSession(stored.SerializeToString())
    for name, value in tables.items():
        assert np.array_equal(session.run([f"{name}_out"], {})[0], value)
