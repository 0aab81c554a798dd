"""The original's five files, exported and served by a real Triton, answer as the original's recipe does.

`tests/reference.py` is that recipe, written without the project's code.
"""

import copy
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import reference as original
import torch
from base_bundle import make_base_bundle
from conftest import write_clip
from deepfake_client import Detector
from deepfake_client.cli.scan import main as scan
from deepfake_client.embedded import embedded_triton
from deepfake_client.results import Result, to_dict
from deepfake_export.configuration import ServingOptions
from deepfake_export.exporting import export
from deepfake_export.parity import Parity
from deepfake_web.app import create_app
from deepfake_web.settings import WebSettings
from PIL import Image
from reference import Answer, Reference

PROBABILITY, HEATMAP = 1e-4, 1e-3  # the largest differences; a heatmap's is a part of the reference's largest value
FRAMES = 11  # of the clip: every 5th from the start makes 3
NETWORKS = ("efficientnet", "convnext", "swin")
PICTURES = ("astronaut.png", "upside_down.jpg", "grey.png", "temple.webp")
CLIP, TURNED = "clip.mp4", "turned.mp4"  # TURNED: one frame, shown turned by a quarter


@dataclass(frozen=True)
class Exported:
    bundle: Path
    repository: Path
    parity: Parity


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    folder = tmp_path_factory.mktemp("base")
    make_base_bundle(folder / "bundle")
    options = ServingOptions(instances=1, threads=2)
    parity = export(folder / "bundle", folder / "repository", options, 2)
    return Exported(folder / "bundle", folder / "repository", parity)


@pytest.fixture(scope="session")
def media(tmp_path_factory, astronaut, admiral, temple) -> Path:
    folder = tmp_path_factory.mktemp("media")
    Image.fromarray(astronaut).save(folder / "astronaut.png")
    turned = Image.fromarray(admiral).rotate(180)
    exif = turned.getexif()
    exif[0x0112] = 3  # orientation: shown turned by half
    turned.save(folder / "upside_down.jpg", exif=exif)
    Image.fromarray(astronaut[20:260, 100:340]).convert("L").save(folder / "grey.png")
    Image.fromarray(temple).save(folder / "temple.webp", lossless=True)
    write_clip(folder / CLIP, (astronaut[:240, 10 * at : 10 * at + 320] // (1 + at // 8) for at in range(FRAMES)), 10)
    write_turned_clip(folder / TURNED, admiral[:480, :320])
    return folder


def write_turned_clip(path: Path, picture: np.ndarray) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.height, stream.width = picture.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.set_display_rotation(90)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))
        container.mux(stream.encode())


@pytest.fixture(scope="session")
def reference(exported: Exported) -> Reference:
    return Reference(exported.bundle)


@pytest.fixture(scope="session")
def expected(reference: Reference, media: Path) -> dict[str, Answer]:
    pictures = {name: reference.picture(media / name) for name in PICTURES}
    return pictures | {name: reference.video(media / name) for name in (CLIP, TURNED)}


@pytest.fixture(scope="session")
def triton(exported: Exported) -> Iterator[str]:
    with embedded_triton(exported.repository) as address:
        yield address


@pytest.fixture(scope="session")
def served(triton: str, media: Path) -> dict[str, dict]:
    """What the library answers, as JSON holds it."""
    with Detector(triton) as detector:
        results: dict[str, Result] = {
            name: detector.analyze(media / name, heatmaps=True) for name in (*PICTURES, CLIP, TURNED)
        }
    return {name: to_dict(result) for name, result in results.items()}


def differences(result: dict, answer: Answer) -> list[str]:
    """What of a served result is not as the reference says; empty when all is equal to the tolerances."""
    found = []
    if abs(result["confidence"] - answer.probability) > PROBABILITY:
        found.append("confidence")
    if result["frames_processed"] != len(answer.frames):
        return [*found, "frames"]
    faces = [frame["faces"][0] for frame in result["frames"]]
    networks = np.array([[face["networks"][name] for name in NETWORKS] for face in faces])
    if np.abs(networks - answer.networks).max() > PROBABILITY:
        found.append("networks")
    if np.abs(np.array([face["confidence"] for face in faces]) - answer.frames).max() > PROBABILITY:
        found.append("frame confidence")
    maps = np.array([face["heatmap"] for face in faces])
    if np.abs(maps - answer.heatmaps).max() > HEATMAP * np.abs(answer.heatmaps).max():
        found.append("heatmap")
    return found


def test_the_export_is_within_its_tolerances(exported):
    assert exported.parity.passed


def test_the_test_would_notice(expected, reference):
    """Each network's probability spreads, all three count, and the maps are not zero."""
    networks = np.concatenate([answer.networks for answer in expected.values()])
    assert (np.ptp(networks, axis=0) >= 0.3).all(), networks
    assert (np.abs(reference.regression.coef_) > 0.3).all()
    assert all(np.abs(answer.heatmaps).max() > 0.01 for answer in expected.values())


def test_five_files_are_served_as_the_original_system(triton):
    with Detector(triton) as detector:
        assert detector.model.name == "base"
        assert detector.model.architectures["swin"] == "swin_small_patch4_window7_224"
        policy = detector.policy
    assert (policy.crop, policy.sampling, policy.frames, policy.threshold) == ("frame", "every_nth:5", 32, 0.5)


@pytest.mark.parametrize("name", [*PICTURES, CLIP, TURNED])
def test_a_served_file_answers_as_the_original_recipe(served, expected, name):
    assert differences(served[name], expected[name]) == []


def test_the_clip_is_sampled_as_the_original_did(served):
    assert [frame["index"] for frame in served[CLIP]["frames"]] == [0, 5, 10]


@pytest.mark.parametrize(("name", "address"), [(PICTURES[0], "/predict/image"), (CLIP, "/predict/video")])
def test_rest_answers_as_the_original_recipe(triton, media, expected, name, address):
    app = create_app(WebSettings.from_environment({}, triton=triton))
    data = {"file": (io.BytesIO((media / name).read_bytes()), name), "heatmaps": "true"}
    response = app.test_client().post(address, data=data)
    assert response.status_code == 200, response.text
    assert differences(response.json, expected[name]) == []


def test_scan_answers_as_the_original_recipe(triton, media, expected, capsys):
    assert scan([str(media / PICTURES[1]), str(media / CLIP), "--json", "--heatmaps", "--triton", triton]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [Path(line["path"]).name for line in lines] == [PICTURES[1], CLIP]
    for line in lines:
        assert differences(line, expected[Path(line["path"]).name]) == []


def blue_first(picture: Image.Image) -> torch.Tensor:
    return original.preprocess(Image.fromarray(np.array(picture.convert("RGB"))[:, :, ::-1]))


def resized_by_opencv(picture: Image.Image) -> torch.Tensor:
    return original.preprocess(Image.fromarray(cv2.resize(np.array(picture.convert("RGB")), (224, 224))))


def change(reference: Reference, mistake: str) -> None:
    first, second, third = reference.networks
    match mistake:
        case "BGR":
            reference.preprocess = blue_first
        case "cv2 resize":
            reference.preprocess = resized_by_opencv
        case "zero spectrum":
            reference.spectrum = lambda picture: torch.zeros(1, 224, 224)
        case "first two networks swapped":
            reference.networks = [second, first, third]
        case "last two networks swapped":
            reference.networks = [first, third, second]
        case "no scaler":
            reference.scaler = copy.copy(reference.scaler)
            reference.scaler.set_params(with_mean=False, with_std=False)


MISTAKES = (
    *("BGR", "cv2 resize", "zero spectrum", "no scaler"),
    *("first two networks swapped", "last two networks swapped"),
)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_recipe_with_a_mistake_does_not_answer_the_same(served, reference, media, mistake):
    """The comparison above is sharp: with any of these it finds a difference in confidence."""
    wrong = copy.copy(reference)
    change(wrong, mistake)
    assert "confidence" in differences(served[PICTURES[0]], wrong.picture(media / PICTURES[0]))
