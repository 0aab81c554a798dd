"""A frame made ready for the networks, its faces followed and cut to crops; and what they answered put together."""

import base64
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from deepfake_contract.description import BundleDescription
from deepfake_contract.looks import corrected
from deepfake_contract.policy import Policy
from PIL import Image

from deepfake_client.analysis.triton import Answers
from deepfake_client.faces.box import Box
from deepfake_client.faces.crop import cut, face_region
from deepfake_client.faces.detect import Face
from deepfake_client.faces.track import Tracker
from deepfake_client.media.frame import Frame
from deepfake_client.results import FaceResult, FrameResult

THUMBNAIL_SIDE = 480  # longer side, pixels
THUMBNAIL_QUALITY = 80  # JPEG

# So near to the picture's edge, as part of its longer side, a face is taken to be cut by it. In the
# training pictures this holds for 352 of 586 faces beside the one that the label is about, and for 95 of those 2,568.
CUT = 0.02


@dataclass(frozen=True)
class FaceCrop:
    """One face of a frame: where it is, and what the networks see (`pixels`, uint8 [side, side, 3]) of which region.
    With the frame policy the whole frame stands for it."""

    track: int | None
    box: Box
    region: tuple[int, int, int, int]
    score: float | None
    cut: bool
    pixels: np.ndarray = field(repr=False)

    @property
    def face_side(self) -> float:
        """Longer side of the face in the source, pixels."""
        return max(self.box[2:])


@dataclass(frozen=True)
class PreparedFrame:
    """One frame without its pixels: number, time in seconds, crops, thumbnail where asked for."""

    index: int
    time_s: float
    crops: list[FaceCrop]
    thumbnail: str | None


def prepared(
    found: Iterable[tuple[Frame, list[Face] | None]], policy: Policy, thumbnails: bool
) -> Iterator[PreparedFrame]:
    """Frames with their faces (None: the policy takes whole frames), in order."""
    tracker = Tracker()
    for frame, faces in found:
        image = frame.image
        crops = [_whole(image, policy)] if faces is None else _face_crops(image, faces, tracker, policy)
        yield PreparedFrame(frame.index, frame.time_s, crops, _thumbnail(image) if thumbnails else None)


def frame_result(frame: PreparedFrame, answers: Answers, first: int, description: BundleDescription) -> FrameResult:
    """A frame with its answers of the described bundle, which begin at `first`."""
    faces = [
        FaceResult(
            track=crop.track,
            box=crop.box,
            crop=tuple(float(each) for each in crop.region),  # type: ignore[arg-type]
            score=crop.score,
            confidence=float(answers.probability[at]),
            networks=dict(zip(description.names, answers.networks[at].tolist(), strict=True)),
            heatmap=None if answers.heatmaps is None else answers.heatmaps[at].tolist(),
            cut=crop.cut,
        )
        for at, crop in enumerate(frame.crops, first)
    ]
    return result_of_faces(frame.index, frame.time_s, faces, description.policy, frame.thumbnail)


def result_of_faces(
    index: int, time_s: float, faces: list[FaceResult], policy: Policy, thumbnail: str | None = None
) -> FrameResult:
    """The frame is as its highest face, corrected for how many could have been that; those that the picture's edge cuts
    count only where no whole one is seen."""
    looked_at = [at for at, face in enumerate(faces) if not face.cut] or range(len(faces))
    deciding = max(looked_at, key=lambda at: faces[at].confidence, default=None)
    if deciding is None:
        return FrameResult(index, time_s, None, faces, None, thumbnail)
    confidence = faces[deciding].confidence
    if policy.real_scores:
        confidence = corrected(confidence, len(looked_at), policy.real_scores)
    return FrameResult(index, time_s, confidence, faces, deciding, thumbnail)


def _face_crops(image: np.ndarray, faces: list[Face], tracker: Tracker, policy: Policy) -> list[FaceCrop]:
    height, width = image.shape[:2]
    numbers = tracker.follow([face.box for face in faces])
    regions = [face_region(face.box, policy.face_margin, width, height) for face in faces]
    return [
        FaceCrop(
            number, face.box, region, face.score, _is_cut(face.box, width, height), cut(image, region, policy.crop_side)
        )
        for number, face, region in zip(numbers, faces, regions, strict=True)
    ]


def _is_cut(box: Box, width: int, height: int) -> bool:
    x, y, face_width, face_height = box
    near = CUT * max(face_width, face_height)
    return min(x, y, width - x - face_width, height - y - face_height) <= near


def _whole(image: np.ndarray, policy: Policy) -> FaceCrop:
    height, width = image.shape[:2]
    box, region = (0.0, 0.0, float(width), float(height)), (0, 0, width, height)
    return FaceCrop(None, box, region, None, False, cut(image, region, policy.crop_side))


def _thumbnail(image: np.ndarray) -> str:
    picture = Image.fromarray(image)
    picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=THUMBNAIL_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode("ascii")
