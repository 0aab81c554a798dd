"""Finding the faces of one picture: searched small first, larger where that found nothing, with a border last."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from deepfake_client.results import Box
from deepfake_client.triton import Candidates

SEARCH_SIDES = (640, 1280)  # longer side searched, pixels; the next only where the one before found nothing
PICTURE_SIDE = 4096  # a single picture is searched as large as this too, for its small faces,
TILE_SIDE = 1280  # in tiles of this side (the server's memory grows with what it is sent: 0.7 GB at 12 megapixels)
TILE_OVERLAP = 256  # pixels, of which a tile may find faces: larger ones were found before, parts of them mislead
MIN_SCORE = 0.8  # faces in the shared clips have 0.94 or more, a head's shadow on a wall 0.74
MIN_SIDE = 20  # a face's longer side in the picture, pixels: what the detector can find at all
MAX_OVERLAP = 0.5  # part of the smaller of two candidates that lies in the other, from which they are one face
BORDER = 0.5  # added on each side of a tight face crop, as part of its longer side
MAX_FACES = 16  # a picture; the largest are kept
CROWDED = f"Where {MAX_FACES} faces or more were seen at once, only the {MAX_FACES} largest were looked at."

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
    faces: list[Face] = []
    for side in SEARCH_SIDES[:1] if thorough else SEARCH_SIDES:
        faces = _search_at(image, search, side)
        if faces or max(image.shape[:2]) <= side:
            break
    if thorough and max(image.shape[:2]) > SEARCH_SIDES[0]:
        faces = _distinct(faces + _search_tiles(image, search))
    return faces or _search_bordered(image, search)


def _search_at(image: np.ndarray, search: Search, side: int) -> list[Face]:
    """Searches with the longer side at most `side`; nothing is enlarged."""
    small, scales = _shrunk(image, side)
    return _faces(search(small), scales, np.zeros(2), image)


def _search_tiles(image: np.ndarray, search: Search) -> list[Face]:
    """Searches for small faces in tiles; one that a tile's edge cuts is left to the neighbour, which has it whole."""
    large, scales = _shrunk(image, PICTURE_SIDE)
    height, width = large.shape[:2]
    faces = []
    for top in _tile_starts(height):
        for left in _tile_starts(width):
            tile = large[top : top + TILE_SIDE, left : left + TILE_SIDE]
            found = search(tile)
            corners = np.concatenate([found.boxes[:, :2], found.boxes[:, :2] + found.boxes[:, 2:]], axis=1)
            edges = np.array([left == 0, top == 0, left + TILE_SIDE >= width, top + TILE_SIDE >= height])
            inside = np.concatenate([corners[:, :2] > 0, corners[:, 2:] < tile.shape[1::-1]], axis=1)
            whole = (inside | edges).all(axis=1) & (found.boxes[:, 2:].max(axis=1) <= TILE_OVERLAP)
            found = Candidates(found.boxes[whole], found.scores[whole], found.landmarks[whole])
            faces += _faces(found, scales, -np.array([left, top]), image)
    return faces


def _tile_starts(length: int) -> list[int]:
    last = max(0, length - TILE_SIDE)
    return [*range(0, last, TILE_SIDE - TILE_OVERLAP), last]


def _search_bordered(image: np.ndarray, search: Search) -> list[Face]:
    """A face that fills its picture is larger than what the detector was taught: give it room around."""
    small, scales = _shrunk(image, round(SEARCH_SIDES[0] / (1 + 2 * BORDER)))
    height, width = small.shape[:2]
    border = round(BORDER * max(height, width))
    padded = np.empty((height + 2 * border, width + 2 * border, 3), np.uint8)
    padded[:] = small.mean(axis=(0, 1))
    padded[border:-border, border:-border] = small
    return _faces(search(padded), scales, np.array([border, border]), image)


def _shrunk(image: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The picture with its longer side at most `side`, and how many of its pixels (x, y) one of those is."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return image, np.ones(2)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = Image.fromarray(image).resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(small), np.array([width / size[0], height / size[1]])


def _faces(candidates: Candidates, scales: np.ndarray, offset: np.ndarray, image: np.ndarray) -> list[Face]:
    """Candidates as faces of the picture, in whose pixels they are after taking off `offset`, times `scales`."""
    size = image.shape[1::-1]
    faces = []
    for box, score, landmarks in zip(candidates.boxes, candidates.scores, candidates.landmarks, strict=True):
        corners = (np.array([box[:2], box[:2] + box[2:]], np.float64) - offset) * scales
        (left, top), (right, bottom) = np.clip(corners, 0, size).tolist()
        width, height = right - left, bottom - top
        if score >= MIN_SCORE and max(width, height) >= MIN_SIDE and min(width, height) >= 1:
            faces.append(Face((left, top, width, height), float(score), (landmarks - offset) * scales))
    return _distinct(faces)


def _distinct(faces: list[Face]) -> list[Face]:
    """Of faces that overlap the one with the highest score; the largest first."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if all(overlap(face.box, other.box) < MAX_OVERLAP for other in kept):
            kept.append(face)
    return sorted(kept, key=lambda face: -face.side)[:MAX_FACES]


def overlap(one: Box, other: Box) -> float:
    """The part of the smaller box that lies in the other: tells a face found twice, at whatever size."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height) / min(one[2] * one[3], other[2] * other[3])
