"""The library on real media through a real Triton."""

import gc
import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from deepfake_client import Detector
from deepfake_client.analysis.pipeline import SEARCHES_IN_FLIGHT, searched
from deepfake_client.analysis.stopwatch import Stopwatch
from deepfake_client.analysis.triton import Triton
from deepfake_client.embedded import embedded_triton
from deepfake_client.faces.detect import CROWDED, MAX_FACES
from deepfake_client.media import Frame
from deepfake_client.results import Accepted, FrameResult, Progress, Result
from deepfake_client.settings import ClientSettings
from deepfake_contract.errors import DeadlineError, UnavailableError, UsageError
from deepfake_contract.looks import corrected
from deepfake_contract.tensors import BUNDLE_PARAMETER
from google.protobuf import text_format
from PIL import Image
from tritonclient.grpc.model_config_pb2 import ModelConfig


@pytest.fixture
def detector(triton):
    with Detector(triton, ClientSettings()) as detector:
        yield detector


@pytest.fixture
def picture(tmp_path):
    """Writes an array as a picture and gives its path."""

    def write(array: np.ndarray, name: str = "picture.png"):
        Image.fromarray(array).save(tmp_path / name)
        return tmp_path / name

    return write


def test_a_clip_is_followed_by_one_track_through_all_its_frames(detector, face_clip):
    result = detector.analyze(face_clip)
    assert (result.file_type, result.frames_processed) == ("video", 32)
    assert [(each.id, each.frames) for each in result.tracks] == [(1, 32)]
    assert (result.tracks[0].first_s, result.tracks[0].last_s) == pytest.approx((0.0, 3.9))


def test_a_picture_that_is_cut_off_is_answered_and_never_certain(detector, picture, astronaut):
    whole = picture(astronaut)
    cut = whole.with_name("cut.png")
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 8 // 10])
    result = detector.analyze(cut)
    assert result.confidence == pytest.approx(detector.analyze(whole).confidence, abs=0.01)
    assert (result.certainty, result.reasons[-1]) == ("low", "truncated")
    assert any("cut off" in warning for warning in result.warnings)
    assert "truncated" not in detector.analyze(whole).reasons


def test_boxes_sit_on_the_face_as_it_moves(detector, face_clip):
    for frame in detector.analyze(face_clip).frames:
        (face,) = frame.faces
        x, y, width, height = face.box
        # In the picture that was pasted at 10 + 10 · index, the face's centre is at 105, 77.
        assert x + width / 2 == pytest.approx(10 + 10 * frame.index + 105, abs=8)
        assert y + height / 2 == pytest.approx(100 + 77, abs=8)


@pytest.mark.parametrize(("faces", "told"), [(15, []), (20, [CROWDED])])
def test_a_crowd_of_which_not_all_are_looked_at_is_told(detector, picture, astronaut, faces, told):
    head = Image.fromarray(astronaut[40:240, 120:330])
    crowd = Image.new("RGB", (5 * 210, 4 * 200), "grey")
    for number in range(faces):
        crowd.paste(head, (210 * (number % 5), 200 * (number // 5)))
    result = detector.analyze(picture(np.asarray(crowd)))
    assert (len(result.frames[0].faces), result.warnings) == (min(faces, MAX_FACES), told)


def test_events_come_in_their_order(detector, face_clip):
    events = list(detector.events(face_clip, frames=10))
    assert isinstance(events[0], Accepted) and events[0].frames == 10
    told, frames = [], 0
    for event in events[1:-1]:
        if isinstance(event, FrameResult):
            frames += 1
        else:
            assert isinstance(event, Progress) and event.done == frames, "done are the frames that came before"
            assert event.done <= event.searched <= event.decoded <= event.total == 10
            told.append((event.done, event.searched))
    # One request takes 8 frames with a face each; until it is sent, each that was searched is told.
    assert {searched for done, searched in told if not done} >= set(range(1, 9))
    assert told[-1] == (10, 10)
    assert isinstance(events[-1], Result)
    assert events[-1].frames == [each for each in events if isinstance(each, FrameResult)]


def test_the_stacked_probability_follows_from_the_networks(detector, face_clip):
    description = detector._bundle().description
    for frame in detector.analyze(face_clip, frames=4).frames:
        (face,) = frame.faces
        logit = sum(description.contributions(face.networks).values())
        assert face.confidence == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-5)


def test_a_picture_with_two_faces_has_two_tracks(detector, picture, astronaut, admiral):
    canvas = np.full((700, 1200, 3), 128, np.uint8)
    canvas[:512, :512], canvas[:600, 600:1112] = astronaut, admiral
    result = detector.analyze(picture(canvas))
    assert (result.file_type, result.frames_processed, len(result.tracks)) == ("image", 1, 2)
    highest = max(face.confidence for face in result.frames[0].faces)
    reached = detector.policy.real_scores
    assert result.confidence == (corrected(highest, 2, reached) if reached else highest)


def test_a_face_of_30_pixels_is_found_in_a_large_picture(detector, picture, astronaut):
    canvas = np.full((3000, 4000, 3), (120, 130, 110), np.uint8)
    small = np.asarray(Image.fromarray(astronaut).resize((128, 128), Image.Resampling.LANCZOS))
    canvas[2000:2128, 1200:1328] = small
    (face,) = detector.analyze(picture(canvas)).frames[0].faces
    assert 24 <= face.box[3] <= 36
    assert (face.box[0], face.box[1]) == pytest.approx((1200 + 178 / 4, 2000 + 57 / 4), abs=5)


def test_a_picture_that_is_a_tight_face_crop_is_analysed_nearly_whole(detector, picture, astronaut):
    result = detector.analyze(picture(astronaut[57:177, 178:273]))
    (face,) = result.frames[0].faces
    assert face.crop[2:] == (95.0, 95.0)


def test_a_picture_without_a_face_has_no_verdict(detector, picture, temple):
    result = detector.analyze(picture(temple))
    assert (result.label, result.confidence, result.certainty, result.frames_processed) == ("NO FACE", None, None, 1)
    assert result.frames[0].confidence is None and result.frames[0].faces == []


def test_heatmaps_come_with_thumbnails_and_only_when_asked_for(detector, picture, astronaut):
    path = picture(astronaut)
    (frame,) = detector.analyze(path, heatmaps=True).frames
    assert np.shape(frame.faces[0].heatmap) == (7, 7) and frame.thumbnail.startswith("data:image/jpeg;base64,")
    (frame,) = detector.analyze(path).frames
    assert frame.faces[0].heatmap is None and frame.thumbnail is None


def test_the_result_says_which_detector_answered(detector, picture, astronaut):
    result = detector.analyze(picture(astronaut))
    assert result.model == detector.model and result.model.digest.startswith("sha256:")
    names = detector._bundle().description.names
    assert tuple(result.model.titles) == tuple(result.model.architectures) == tuple(result.networks) == names
    assert result.threshold == detector.policy.threshold


def test_batches_of_any_size_give_the_same_answer(triton, face_clip):
    readings = []
    for size in (1, 3, 8):
        with Detector(triton, ClientSettings(batch_size=size)) as detector:
            readings.append([frame.confidence for frame in detector.analyze(face_clip, frames=7).frames])
    assert readings[1:] == [pytest.approx(readings[0], abs=1e-5)] * 2


def test_more_faces_than_a_batch_are_all_answered(triton, picture, astronaut):
    part = np.asarray(Image.fromarray(astronaut[40:200, 140:300]).resize((120, 120)))
    settings = ClientSettings(batch_size=4)
    with Detector(triton, settings) as detector:
        (frame,) = detector.analyze(picture(np.tile(part, (3, 3, 1)))).frames
    assert len(frame.faces) == 9
    assert len({face.track for face in frame.faces}) == 9


def test_threads_share_a_detector(detector, face_clip):
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: detector.analyze(face_clip, frames=6).confidence, range(3)))
    assert answers == pytest.approx([answers[0]] * 3, abs=1e-6)


def test_closing_the_iterator_stops_the_work(detector, face_clip):
    before = threading.active_count()
    events = detector.events(face_clip)
    next(events)
    events.close()
    assert threading.active_count() == before


def test_a_closed_detector_ends_its_analyses(detector, face_clip):
    events = detector.events(face_clip)
    next(events)
    detector.close()
    with pytest.raises(UnavailableError, match="closed"):
        list(events)


@pytest.mark.parametrize("frames", [0, -1, 257])
def test_a_number_of_frames_out_of_bounds_is_refused(detector, face_clip, frames):
    with pytest.raises(UsageError, match="1 to 256"):
        detector.analyze(face_clip, frames=frames)


def test_an_analysis_past_its_deadline_ends(triton, face_clip):
    with Detector(triton, ClientSettings(analysis_deadline_s=0.01)) as detector, pytest.raises(DeadlineError):
        detector.analyze(face_clip)


def test_a_triton_that_is_ready_is_said_to_be(detector):
    assert detector.ready()
    assert {"deepfake_ensemble", "face_detector"} < set(detector.readiness())


def test_no_triton_is_unavailable_at_once(face_clip):
    with Detector("127.0.0.1:9", ClientSettings()) as detector:
        assert not detector.ready()
        with pytest.raises(UnavailableError, match=r"127\.0\.0\.1:9"):
            detector.analyze(face_clip)


@pytest.fixture(scope="module")
def frame_policy(repository, tmp_path_factory):
    """A Triton whose policy is the original system's: whole frames, every fifth."""
    folder = tmp_path_factory.mktemp("frame_policy") / "repository"
    shutil.copytree(repository, folder)
    path = folder / "deepfake_ensemble" / "config.pbtxt"
    config = text_format.Parse(path.read_text(), ModelConfig())
    parameter = config.parameters[BUNDLE_PARAMETER]
    served = json.loads(parameter.string_value)
    served["policy"] |= {"crop": "frame", "sampling": "every_nth:5"}
    parameter.string_value = json.dumps(served)
    path.write_text(text_format.MessageToString(config))
    with embedded_triton(folder) as address, Detector(address, ClientSettings()) as detector:
        yield detector


def test_the_frame_policy_looks_at_whole_frames(frame_policy, face_clip):
    result = frame_policy.analyze(face_clip, frames=6)
    assert [frame.index for frame in result.frames] == [0, 5, 10, 15, 20, 25] and result.tracks == []
    whole = (0.0, 0.0, 640.0, 480.0)
    for frame in result.frames:
        assert [(face.box, face.crop, face.score, face.track) for face in frame.faces] == [(whole, whole, None, None)]
    assert result.confidence == pytest.approx(np.mean([frame.confidence for frame in result.frames]))


def test_the_frame_policy_answers_without_a_face(frame_policy, picture, temple):
    assert frame_policy.analyze(picture(temple)).label in ("REAL", "FAKE")


def test_no_more_than_a_few_frames_are_held_at_once(triton, detector, temple):
    frames = (Frame(at, float(at), temple.copy()) for at in range(32))  # decoded faster than faces are found
    connection = Triton(triton, deadline_s=60)
    with ThreadPoolExecutor(2) as pool:
        for _ in searched(pool, frames, connection, detector.policy, False, Stopwatch()):
            assert sum(isinstance(each, Frame) for each in gc.get_objects()) <= SEARCHES_IN_FLIGHT + 2
    connection.close()


def test_settings_are_those_of_the_environment(triton, monkeypatch):
    monkeypatch.setenv("DEEPFAKE_BATCH_SIZE", "2")
    assert replace(Detector(triton).settings, batch_size=8) == ClientSettings()
