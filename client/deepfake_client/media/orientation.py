"""Turns and mirrors a frame as its display matrix says."""

import numpy as np
from av.video.frame import VideoFrame


def upright(image: np.ndarray, frame: VideoFrame) -> np.ndarray:
    """The frame's pixels [H, W, 3] as shown: quarter turns and mirrors (ISO/IEC 14496-12, 6.2.2); else unchanged."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return image
    # A pixel (x, y) is shown at (a x + c y, b x + d y), moved to where both are positive.
    a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5].astype(np.int64)
    if abs(a) < abs(b):
        image, a, d = image.swapaxes(0, 1), c, b
    if a < 0:
        image = image[:, ::-1]
    if d < 0:
        image = image[::-1]
    return image
