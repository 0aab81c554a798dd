"""Finding the faces of one picture: searched small first, larger where that found nothing, with a border last."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import Image

from deepfake_client.analysis.triton import Candidates
from deepfake_client.faces.box import Box

SEARCH_SIDES = (640, 1280)  # longer side searched, pixels; the next only where the one before found nothing
PICTURE_SIDE = 4096  # a single picture is searched as large as this too, for its small faces,
TILE_SIDE = (
    1280  # in tiles of at most this side (the server's memory grows with what it is sent: 0.7 GB at 12 megapixels)
)
TILES_AT_ONCE = 2  # as many as the server has detectors, each of one thread
TILE_OVERLAP = 256  # pixels, of which a tile may find faces: larger ones were found before, parts of them mislead
MIN_SCORE = 0.8  # faces in the shared clips have 0.94 or more, a head's shadow on a wall 0.74
MIN_SIDE = 20  # a face's longer side in the picture, pixels: what the detector can find at all
MAX_OVERLAP = 0.5  # part of the smaller of two candidates that lies in the other, from which they are one face
BORDER = 0.5  # added on each side of a tight face crop, as part of its longer side
MAX_FACES = 16  # a picture; the largest are kept
CROWDED = f"Where {MAX_FACES} faces or more were seen at once, only the {MAX_FACES} largest were analysed."

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
    picture = Image.fromarray(image)
    for side in SEARCH_SIDES[:1] if thorough else SEARCH_SIDES:
        faces = _search_at(picture, search, side)
        if faces or max(image.shape[:2]) <= side:
            break
    if thorough and max(image.shape[:2]) > SEARCH_SIDES[0]:
        faces = _distinct(faces + _search_tiles(picture, search), _wholes_first)
    return faces or _search_bordered(picture, search)


def _search_at(picture: Image.Image, search: Search, side: int) -> list[Face]:
    """Searches with the longer side at most `side`; nothing is enlarged."""
    small, scales = _shrunk(picture, side)
    return _faces(search(small), scales, np.zeros(2), picture.size)


def _search_tiles(picture: Image.Image, search: Search) -> list[Face]:
    """Searches for small faces in tiles; one that a tile's edge cuts is left to the neighbour, which has it whole."""
    reduced, scales = _reduced(picture)
    tiles = [
        (left, top, right, bottom) for top, bottom in _spans(reduced.height) for left, right in _spans(reduced.width)
    ]
    with ThreadPoolExecutor(TILES_AT_ONCE) as pool:
        found = pool.map(lambda tile: _search_tile(reduced, tile, search), tiles)
        return [
            face
            for tile, candidates in zip(tiles, found, strict=True)
            for face in _faces(candidates, scales, -np.array(tile[:2]), picture.size)
        ]


def _reduced(picture: Image.Image) -> tuple[Image.Image, np.ndarray]:
    """As _shrunk, to PICTURE_SIDE; up to a tenth smaller where a whole number of pixels makes one: that is faster."""
    factor = math.ceil(max(picture.size) / PICTURE_SIDE)
    if factor == 1 or max(picture.size) < 0.9 * factor * PICTURE_SIDE:
        small, scales = _shrunk(picture, PICTURE_SIDE)
        return Image.fromarray(small), scales
    return picture.reduce(factor), np.full(2, float(factor))


def _search_tile(reduced: Image.Image, tile: tuple[int, int, int, int], search: Search) -> Candidates:
    """The small faces that lie whole in a tile (left, top, right, bottom)."""
    found = search(np.asarray(reduced.crop(tile)))
    left, top, right, bottom = tile
    corners = np.concatenate([found.boxes[:, :2], found.boxes[:, :2] + found.boxes[:, 2:]], axis=1)
    edges = np.array([left == 0, top == 0, right == reduced.width, bottom == reduced.height])
    inside = np.concatenate([corners[:, :2] > 0, corners[:, 2:] < (right - left, bottom - top)], axis=1)
    whole = (inside | edges).all(axis=1) & (found.boxes[:, 2:].max(axis=1, initial=0) <= TILE_OVERLAP)
    return Candidates(found.boxes[whole], found.scores[whole], found.landmarks[whole])


def _spans(length: int) -> list[tuple[int, int]]:
    """The fewest tiles, alike but for a pixel, that cover a side and overlap: where each begins and ends."""
    count = max(1, math.ceil((length - TILE_OVERLAP) / (TILE_SIDE - TILE_OVERLAP)))
    side = math.ceil((length + (count - 1) * TILE_OVERLAP) / count)
    starts = [round(at * (length - side) / max(1, count - 1)) for at in range(count)]
    return [(start, start + side) for start in starts]


def _search_bordered(picture: Image.Image, search: Search) -> list[Face]:
    """A face that fills its picture is larger than what the detector was taught: give it room around."""
    small, scales = _shrunk(picture, round(SEARCH_SIDES[0] / (1 + 2 * BORDER)))
    height, width = small.shape[:2]
    border = round(BORDER * max(height, width))
    padded = np.empty((height + 2 * border, width + 2 * border, 3), np.uint8)
    padded[:] = small.mean(axis=(0, 1))
    padded[border:-border, border:-border] = small
    return _faces(search(padded), scales, np.array([border, border]), picture.size)


def _shrunk(picture: Image.Image, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The picture with its longer side at most `side`, and how many of its pixels (x, y) one of those is."""
    width, height = picture.size
    scale = side / max(height, width)
    if scale >= 1:
        return np.asarray(picture), np.ones(2)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(small), np.array([width / size[0], height / size[1]])


def _faces(candidates: Candidates, scales: np.ndarray, offset: np.ndarray, size: tuple[int, int]) -> list[Face]:
    """Candidates as faces of a picture of `size`: in its pixels they are what is left of `offset`, times `scales`."""
    likely = candidates.scores >= MIN_SCORE
    faces = []
    for box, score, landmarks in zip(*(each[likely] for each in vars(candidates).values()), strict=True):
        corners = (np.array([box[:2], box[:2] + box[2:]], np.float64) - offset) * scales
        (left, top), (right, bottom) = np.clip(corners, 0, size).tolist()
        width, height = right - left, bottom - top
        if max(width, height) >= MIN_SIDE and min(width, height) >= 1:
            faces.append(Face((left, top, width, height), float(score), (landmarks - offset) * scales))
    return _distinct(faces)


def _surest_first(face: Face) -> tuple[float, ...]:
    return (-face.score,)


def _wholes_first(face: Face) -> tuple[float, ...]:
    """Of about equally sure ones the larger: what a tile's edge leaves of a face is as sure a face as the whole."""
    return -round(face.score, 1), -face.box[2] * face.box[3]


def _distinct(faces: list[Face], order: Callable[[Face], tuple[float, ...]] = _surest_first) -> list[Face]:
    """Of faces that overlap the first in this order; the largest first."""
    kept: list[Face] = []
    for face in sorted(faces, key=order):
        if all(overlap(face.box, other.box) < MAX_OVERLAP for other in kept):
            kept.append(face)
    return sorted(kept, key=lambda face: -face.side)[:MAX_FACES]


def overlap(one: Box, other: Box) -> float:
    """The part of the smaller box that lies in the other: tells a face found twice, at whatever size."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height) / min(one[2] * one[3], other[2] * other[3])
