"""Finding the faces of one picture: searched small first, larger where that found nothing, with a border last."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from deepfake_client.results import Box
from deepfake_client.triton import Candidates

SEARCH_SIDES = (640, 1280)  # longer side searched, pixels; the next only where the one before found nothing
PICTURE_SIDE = 1920  # a single picture is searched as large as this too, for its small faces
MIN_SCORE = 0.6
MIN_SIDE = 16  # a face's longer side in the picture, pixels: below it there is nothing to judge
MAX_OVERLAP = 0.4  # intersection over union, from which two candidates are one face
BORDER = 0.5  # added on each side of a tight face crop, as part of its longer side
MAX_FACES = 16  # a picture; the largest are kept

Search = Callable[[np.ndarray], Candidates]


@dataclass(frozen=True)
class Face:
    """One face: box in pixels of the picture, inside it; landmarks [5, 2]: eyes, nose, corners of the mouth."""

    box: Box
    score: float
    landmarks: np.ndarray

    @property
    def side(self) -> float:
        return max(self.box[2], self.box[3])


def find_faces(image: np.ndarray, search: Search, thorough: bool = False) -> list[Face]:
    """The faces of an RGB uint8 [H, W, 3] picture, the largest first.

    `search` is a face detector (Triton.face_candidates). `thorough` looks for small faces beside large ones too: for
    a single picture, where there is time.
    """
    longest = max(image.shape[:2])
    faces: list[Face] = []
    for side in SEARCH_SIDES:
        faces = _search_at(image, search, side)
        if faces or longest <= side:
            break
    if thorough and longest > SEARCH_SIDES[0]:
        faces = _distinct(faces + _search_at(image, search, PICTURE_SIDE))
    return faces or _search_bordered(image, search)


def _search_at(image: np.ndarray, search: Search, side: int) -> list[Face]:
    """Searches with the longer side at most `side`; nothing is enlarged."""
    height, width = image.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = image if scale == 1 else np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR, None, 2))
    return _faces(search(small), np.array([width / size[0], height / size[1]]), np.zeros(2), (width, height))


def _search_bordered(image: np.ndarray, search: Search) -> list[Face]:
    """A face that fills its picture is larger than what the detector was taught: give it room around."""
    height, width = image.shape[:2]
    scale = min(1.0, SEARCH_SIDES[0] / (1 + 2 * BORDER) / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR, None, 2))
    border = round(BORDER * max(size))
    grey = tuple(int(each) for each in small.mean(axis=(0, 1)))
    padded = np.full((size[1] + 2 * border, size[0] + 2 * border, 3), grey, np.uint8)
    padded[border:-border, border:-border] = small
    scales = np.array([width / size[0], height / size[1]])
    return _faces(search(padded), scales, np.array([border, border]), (width, height))


def _faces(candidates: Candidates, scales: np.ndarray, offset: np.ndarray, size: tuple[int, int]) -> list[Face]:
    """Candidates of a searched picture as faces of the original one: pixels less offset, times scales."""
    faces = []
    for box, score, landmarks in zip(candidates.boxes, candidates.scores, candidates.landmarks, strict=True):
        corners = (np.array([box[:2], box[:2] + box[2:]], np.float64) - offset) * scales
        left, top = np.clip(corners[0], 0, size)
        right, bottom = np.clip(corners[1], 0, size)
        if score >= MIN_SCORE and max(right - left, bottom - top) >= MIN_SIDE and min(right - left, bottom - top) >= 1:
            box_inside = (float(left), float(top), float(right - left), float(bottom - top))
            faces.append(Face(box_inside, float(score), (landmarks - offset) * scales))
    return _distinct(faces)


def _distinct(faces: list[Face]) -> list[Face]:
    """Of faces that overlap the one with the highest score; the largest first."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if all(overlap(face.box, other.box) < MAX_OVERLAP for other in kept):
            kept.append(face)
    return sorted(kept, key=lambda face: -face.side)[:MAX_FACES]


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)
