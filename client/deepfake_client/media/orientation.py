"""Turns and mirrors frames as their display matrix says."""

from typing import cast

import numpy as np
from av.sidedata.sidedata import SideData, Type
from av.video.frame import VideoFrame

Matrix = tuple[
    int, int, int, int
]  # a pixel (x, y) is shown at (a x + c y, b x + d y), moved to where both are positive
AS_STORED: Matrix = (1, 0, 0, 1)


def display_matrix(frame: VideoFrame) -> Matrix:
    """How the frame is to be turned (ISO/IEC 14496-12, 6.2.2).

    Ask once a clip: a frame that was asked refers to itself, and its pixels stay until the collector comes by.
    """
    data = frame.side_data.get("DISPLAYMATRIX")
    numbers = np.frombuffer(bytes(cast(SideData, data)), np.int32) if data is not None else ()
    if len(numbers) < 5 or not any(numbers[:5]):  # none, or one that can't be read
        return AS_STORED
    a, b, _, c, d = (int(each) for each in numbers[:5])
    return a, b, c, d


def _unnamed(kind: type[Type], value: int) -> Type:
    """A name for a kind of side data that PyAV has none for (before 19: EXIF, HEVC's views, …): it would raise for a
    frame that carries one, whichever kind was asked for."""
    member = object.__new__(kind)
    member._name_, member._value_ = f"UNNAMED_{value}", value  # type: ignore[assignment]
    return member


Type._missing_ = classmethod(_unnamed)  # type: ignore[method-assign,assignment]


def upright(image: np.ndarray, matrix: Matrix) -> np.ndarray:
    """The pixels [H, W, 3] as shown: by quarter turns and mirrors, the nearest ones for any other angle."""
    a, b, c, d = matrix
    if abs(a) < abs(b):
        image, a, d = image.swapaxes(0, 1), c, b
    if a < 0:
        image = image[:, ::-1]
    if d < 0:
        image = image[::-1]
    return image
