"""A clip's frames as they are seen: square pixels, standard range, upright."""

from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation

from deepfake_client.media import hdr
from deepfake_client.media.hdr_frames import ToSdr
from deepfake_client.media.orientation import display_matrix, upright
from deepfake_client.media.pixels import check_size
from deepfake_client.media.primaries import BT2020, CHROMATICITIES

LONGEST_PIXEL = 8  # times as long as wide, either way; a clip that claims more is damaged
NOT_BELIEVED = "The clip says that its pixels are {:.3g} times as wide as high; its frames were analysed as stored."


class Display:
    """How the frames of one clip are shown, by its first frame and `pixel_aspect`, how wide its pixels are to their
    height (0 or None: not said). Frames over `max_pixels` raise TooLargeError. `warnings` says what was not believed.
    """

    def __init__(self, first: VideoFrame, pixel_aspect: Fraction | None, max_pixels: int):
        self._matrix = display_matrix(first)
        self._aspect, self._max_pixels = Fraction(pixel_aspect or 1), max_pixels
        self.warnings: list[str] = []
        if not Fraction(1, LONGEST_PIXEL) <= self._aspect <= LONGEST_PIXEL:
            self.warnings.append(NOT_BELIEVED.format(float(self._aspect)))
            self._aspect = Fraction(1)
        self._sdr: dict[tuple[int, int], ToSdr] = {}

    def shown(self, frame: VideoFrame) -> np.ndarray:
        """The frame, uint8 [H, W, 3], contiguous."""
        width, height = square_size(frame.width, frame.height, self._aspect)
        check_size(width, height, self._max_pixels)
        curve = frame.color_trc, frame.color_primaries
        if (width, height) != (frame.width, frame.height):
            frame = frame.reformat(width, height, interpolation=Interpolation.BICUBIC, threads=1)
        image = self._shown(frame, *curve) if curve[0] in (hdr.PQ, hdr.HLG) else _rgb(frame)
        return np.ascontiguousarray(upright(image, self._matrix))

    def _shown(self, frame: VideoFrame, transfer: int, primaries: int) -> np.ndarray:
        primaries = primaries if primaries in CHROMATICITIES else BT2020  # HDR that says nothing is that
        if (transfer, primaries) not in self._sdr:
            self._sdr[transfer, primaries] = ToSdr(transfer, primaries)
        return self._sdr[transfer, primaries].shown(frame)


def _rgb(frame: VideoFrame) -> np.ndarray:
    # One thread: each frame has a converter of its own, whose threads live as long as it does.
    return frame.to_ndarray(format="rgb24", threads=1)


def square_size(width: int, height: int, aspect: Fraction) -> tuple[int, int]:
    """Width and height in square pixels: as browsers show it, by enlarging the side that is stored too short."""
    if aspect >= 1:
        return round(width * aspect), height
    return width, round(height / aspect)
