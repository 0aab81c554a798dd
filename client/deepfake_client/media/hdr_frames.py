"""Shows the HDR frames of a clip as SDR, through a table that FFmpeg looks colours up in: a tenth of hdr's work."""

from fractions import Fraction

import numpy as np
from av.filter import Graph
from av.filter.context import FilterContext
from av.video.format import VideoFormat
from av.video.frame import VideoFrame

from deepfake_client.media import hdr
from deepfake_client.media.primaries import BT2020

FORMAT = "gbrp16le"  # the one integer format that FFmpeg's interpolation is fast in
LEVEL = 8  # the table has LEVEL ** 2 steps a channel, and lies in a picture of LEVEL ** 3 pixels each way
TICK = Fraction(1, 1000)
# FFmpeg 8.0 takes a table's planes in FORMAT for one another: the order is found by trying, the right one last.
ORDERS = ((2, 0, 1), (0, 1, 2))
PROBE_SIDE = 16  # pixels of the picture that is tried, of colours from everywhere
SCATTER = 40503  # 65536 times the golden ratio's fraction: the multiples of it are spread evenly
CLOSE = 4  # levels that the probe may be off on average; in a wrong order it is off by tens


class ToSdr:
    """Frames of one size, HDR curve and gamut (`transfer`, `primaries` of ITU-T H.273), as uint8 [H, W, 3] in BT.709.

    Interpolates hdr.to_sdr between 64 steps a channel (tetrahedral): off by less than one level on average.
    """

    def __init__(self, transfer: int, primaries: int = BT2020):
        self._transfer, self._primaries = transfer, primaries
        self._table = self._working_table()
        self._lookup: _Lookup | None = None

    def shown(self, frame: VideoFrame) -> np.ndarray:
        """The frame as seen on a standard display."""
        if self._table is None:  # an FFmpeg whose lookup can't be used
            return self._exact(frame.to_ndarray(format="rgb48le", threads=1))
        size = frame.width, frame.height
        if self._lookup is None or self._lookup.size != size:
            self._lookup = _Lookup(size, self._table)
        return self._lookup.applied(frame)

    def _exact(self, signal: np.ndarray) -> np.ndarray:
        return hdr.to_sdr(signal, self._transfer, self._primaries)

    def _working_table(self) -> VideoFrame | None:
        """What each colour of the grid is shown as, red counting fastest, as FFmpeg's haldclut reads it."""
        steps = np.linspace(0, 65535, LEVEL**2).round().astype(np.uint16)
        blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
        shown = self._exact(np.stack([red, green, blue], axis=-1).reshape(LEVEL**3, LEVEL**3, 3))
        probe = (np.arange(3 * PROBE_SIDE**2) * SCATTER % 65536).astype(np.uint16).reshape(PROBE_SIDE, PROBE_SIDE, 3)
        wanted, frame = self._exact(probe).astype(int), VideoFrame.from_ndarray(probe, "rgb48le")
        for order in ORDERS:
            levels = shown[..., order].astype(np.uint16) * 256 + 128  # so that the high byte is a rounded one
            table = VideoFrame.from_ndarray(levels, "rgb48le").reformat(format=FORMAT, threads=1)
            if np.abs(_Lookup((PROBE_SIDE, PROBE_SIDE), table).applied(frame) - wanted).mean() < CLOSE:
                return table
        return None


class _Lookup:
    """FFmpeg's haldclut with a table, for frames of one size (width, height)."""

    def __init__(self, size: tuple[int, int], table: VideoFrame):
        self.size = size
        graph = Graph()
        self._frames, tables = (_source(graph, *each) for each in (size, (table.width, table.height)))
        self._shown, lookup = graph.add("buffersink"), graph.add("haldclut", "clut=first:interp=tetrahedral")
        self._frames.link_to(lookup, 0, 0)
        tables.link_to(lookup, 0, 1)
        lookup.link_to(self._shown)
        graph.configure()
        self._graph = graph  # the filters live as long as it does
        self._count = 0
        table.pts, table.time_base = 0, TICK
        tables.push(table)
        tables.push(None)

    def applied(self, frame: VideoFrame) -> np.ndarray:
        """Its colours as the table has them, uint8 [H, W, 3]."""
        planes = frame.reformat(format=FORMAT, threads=1)
        planes.pts, planes.time_base = self._count, TICK  # an order of its own: a clip's times may repeat
        self._count += 1
        self._frames.push(planes)
        shown = self._shown.pull()
        assert isinstance(shown, VideoFrame)
        return _high_bytes(shown)


def _source(graph: Graph, width: int, height: int) -> FilterContext:
    return graph.add_buffer(width=width, height=height, format=VideoFormat(FORMAT), time_base=TICK)


def _high_bytes(frame: VideoFrame) -> np.ndarray:
    """Of a frame in FORMAT, as uint8 [H, W, 3]: what FFmpeg's own way to 8 bits gives, in a third of its time."""
    image = np.empty((frame.height, frame.width, 3), np.uint8)
    for plane, channel in zip(frame.planes, (1, 2, 0), strict=True):
        bytes_ = np.frombuffer(memoryview(plane), np.uint8).reshape(frame.height, plane.line_size)
        image[..., channel] = bytes_[:, 1 : 2 * frame.width : 2]
    return image
