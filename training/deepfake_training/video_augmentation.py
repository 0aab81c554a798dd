"""What video compression leaves of a picture. Needs PyAV."""

from fractions import Fraction

import av
import numpy as np


def key_frame(image: np.ndarray, crf: int) -> np.ndarray:
    """RGB uint8 [H, W, 3] with even sides as a key frame of H.264 shows it."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.height, encoder.width = image.shape[:2]
    encoder.pix_fmt, encoder.time_base, encoder.thread_count = "yuv420p", Fraction(1, 25), 1
    encoder.options = {"crf": str(crf), "preset": "ultrafast", "tune": "zerolatency"}
    packets = [*encoder.encode(av.VideoFrame.from_ndarray(image, "rgb24")), *encoder.encode(None)]
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    return frames[0].to_ndarray(format="rgb24")
