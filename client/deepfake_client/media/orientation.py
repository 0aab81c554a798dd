"""Turns and mirrors frames as their display matrix says."""

from typing import cast

import numpy as np
from av.sidedata.sidedata import SideData
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
    if data is None:
        return AS_STORED
    a, b, _, c, d = (int(each) for each in np.frombuffer(bytes(cast(SideData, data)), np.int32)[:5])
    return a, b, c, d


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
