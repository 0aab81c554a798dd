"""A frame looked at: its faces, followed and cut to crops, ready for the networks."""

import base64
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from deepfake_contract.tensors import ROLES
from PIL import Image

from deepfake_client.analysis.served_bundle import Policy
from deepfake_client.analysis.triton import Answers
from deepfake_client.faces.crop import cut, face_region
from deepfake_client.faces.detect import Face
from deepfake_client.faces.track import Tracker
from deepfake_client.media.frame import Frame
from deepfake_client.results import Box, FaceResult, FrameResult, deciding_face

THUMBNAIL_SIDE = 480  # longer side, pixels
THUMBNAIL_QUALITY = 80  # JPEG

# So near to the picture's edge, as part of its longer side, a face is taken to be cut by it. In the
# training pictures this holds for 352 of 586 faces beside the one that the label is about, and for 95 of those 2,568.
CUT = 0.02

FaceFinder = Callable[[Frame], list[Face]]


@dataclass(frozen=True)
class View:
    """One face of a frame: where it is, and what the networks get to see (uint8 [224, 224, 3])."""

    track: int | None
    box: Box
    region: tuple[int, int, int, int]
    score: float | None
    cut: bool
    crop: np.ndarray = field(repr=False)


@dataclass(frozen=True)
class Look:
    """One frame without its pixels: number, time in seconds, views, thumbnail where asked for."""

    index: int
    time_s: float
    views: list[View]
    thumbnail: str | None


def looks(found: Iterable[tuple[Frame, list[Face] | None]], policy: Policy, thumbnails: bool) -> Iterator[Look]:
    """Frames with their faces (None: the policy looks at whole frames), in order, to looks."""
    tracker = Tracker()
    for frame, faces in found:
        views = [_whole(frame.image)] if faces is None else _views(frame.image, faces, tracker, policy.face_margin)
        yield Look(frame.index, frame.time_s, views, _thumbnail(frame.image) if thumbnails else None)


def frame_result(look: Look, answers: Answers, first: int) -> FrameResult:
    """A look with its answers, which begin at `first`."""
    faces = [
        FaceResult(
            track=view.track,
            box=view.box,
            crop=tuple(float(each) for each in view.region),  # type: ignore[arg-type]
            score=view.score,
            confidence=float(answers.probability[at]),
            networks={role: float(each) for role, each in zip(ROLES, answers.networks[at], strict=True)},
            heatmap=None if answers.heatmaps is None else answers.heatmaps[at].tolist(),
            cut=view.cut,
        )
        for at, view in enumerate(look.views, first)
    ]
    deciding = deciding_face(faces)
    return FrameResult(look.index, look.time_s, deciding.confidence if deciding else None, faces, look.thumbnail)


def _views(image: np.ndarray, faces: list[Face], tracker: Tracker, margin: float) -> list[View]:
    height, width = image.shape[:2]
    numbers = tracker.follow([face.box for face in faces])
    regions = [face_region(face.box, margin, width, height) for face in faces]
    return [
        View(number, face.box, region, face.score, _is_cut(face.box, width, height), cut(image, region))
        for number, face, region in zip(numbers, faces, regions, strict=True)
    ]


def _is_cut(box: Box, width: int, height: int) -> bool:
    x, y, face_width, face_height = box
    near = CUT * max(face_width, face_height)
    return min(x, y, width - x - face_width, height - y - face_height) <= near


def _whole(image: np.ndarray) -> View:
    height, width = image.shape[:2]
    return View(
        None, (0.0, 0.0, float(width), float(height)), (0, 0, width, height), None, False,
        cut(image, (0, 0, width, height)),
    )  # fmt: skip


def _thumbnail(image: np.ndarray) -> str:
    picture = Image.fromarray(image)
    picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=THUMBNAIL_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode("ascii")
