"""python -m deepfake_training.group_pictures DATA: how often pictures of several real faces are called FAKE.

Of many faces one looks like a fake by chance, so the highest of them is corrected for their number. Here real pictures
of one face become tiles, which are put together: each face with half a face of what is around it in its picture, and
grey where that ends, so that no join lies in what a network sees. A picture of one tile is the measure.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from deepfake_client.detector import Detector
from deepfake_client.embedded import embedded_triton
from deepfake_client.faces.box import Box
from deepfake_client.faces.crop import face_region
from deepfake_contract.errors import DeepfakeError, UsageError
from PIL import Image
from rich.console import Console
from rich.progress import track

from deepfake_training.data import Sample, read_manifest
from deepfake_training.interval import Interval
from deepfake_training.proportions import share

TOGETHER = (1, 2, 4, 6, 12)
AROUND = 0.5  # of the face's longer side, on each side of its box
LARGEST_FACE = 224  # pixels; larger ones are scaled down, or a picture of twelve would be huge
GREY = 128
HEAD = "faces  pictures  found  called FAKE           its highest face alone"


@dataclass(frozen=True)
class Counted:
    """Of pictures with `faces` real faces each: the share called FAKE, and the share in which the highest face alone
    would have been. `found`: how many faces were found in one on average."""

    faces: int
    pictures: int
    found: float
    called_fake: Interval
    highest: Interval


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    splits = options.split or ["val", "control"]
    try:
        reals = [each for split in splits for each in read_manifest(options.data.resolve(), split) if not each.fake]
        with (
            nullcontext(options.triton) if options.triton else embedded_triton(options.repository) as address,
            Detector(address) as detector,
        ):
            print(HEAD, flush=True)
            for counted in measured(reals, detector, options.seed):
                print(line(counted), flush=True)
    except KeyboardInterrupt:
        print("Stopped; no more pictures are counted.", file=sys.stderr)
        return 130
    return 0


def measured(reals: Sequence[Sample], detector: Detector, seed: int) -> Iterator[Counted]:
    """A Counted for each number of TOGETHER; UsageError where there are too few faces for the largest."""
    if detector.policy.crop != "face":
        raise UsageError("The served model looks at whole frames: it takes several faces for one picture.")
    tiles = list(_tiles(reals, detector))
    if len(tiles) < max(TOGETHER):
        raise UsageError(f"Only {len(tiles)} pictures show one whole face, but {max(TOGETHER)} are needed.")
    random = np.random.default_rng(seed)
    for faces in TOGETHER:
        order = random.permutation(len(tiles))[: len(tiles) // faces * faces].reshape(-1, faces)
        shown = [put_together([tiles[index] for index in row]) for row in order.tolist()]
        yield _counted(faces, shown, detector)


def put_together(tiles: Sequence[np.ndarray]) -> np.ndarray:
    """Tiles side by side in rows, RGB uint8 [H, W, 3], each in the middle of a grey cell."""
    side = max(tile.shape[0] for tile in tiles)
    columns = int(np.ceil(np.sqrt(len(tiles))))
    rows = -(-len(tiles) // columns)
    picture = np.full((rows * side, columns * side, 3), GREY, np.uint8)
    for number, tile in enumerate(tiles):
        top, left = (part * side + (side - tile.shape[0]) // 2 for part in divmod(number, columns))
        picture[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    return picture


def tile_of(image: np.ndarray, box: Box) -> np.ndarray:
    """The square around the middle of a box (x, y, width, height) in RGB uint8 [H, W, 3], AROUND it on each side."""
    x, y, width, height = box
    half = round(max(width, height) * (0.5 + AROUND))
    padded = np.pad(image, ((half, half), (half, half), (0, 0)), constant_values=GREY)
    left, top = round(x + width / 2), round(y + height / 2)
    tile = padded[top : top + 2 * half, left : left + 2 * half]
    scale = LARGEST_FACE / max(width, height)
    if scale >= 1:
        return tile
    side = round(scale * tile.shape[0])
    return np.asarray(Image.fromarray(tile).resize((side, side), Image.Resampling.LANCZOS))


def line(counted: Counted) -> str:
    """Below HEAD."""
    shares = (f"{part.value:.3f} [{part.low:.3f}, {part.high:.3f}]" for part in (counted.called_fake, counted.highest))
    return f"{counted.faces:>5}  {counted.pictures:>8}  {counted.found:>5.2f}  " + "  ".join(shares)


def _tiles(reals: Sequence[Sample], detector: Detector) -> Iterator[np.ndarray]:
    """Of the pictures that show one face, and all that a network sees of it."""
    for sample in track(reals, "finding faces", transient=True, console=Console(stderr=True)):
        found = detector.analyze(sample.path)
        faces, (width, height) = found.frames[0].faces, (found.media.width, found.media.height)
        if len(faces) == 1 and _is_whole(faces[0].box, detector.policy.face_margin, width, height):
            image = np.asarray(Image.open(sample.path).convert("RGB"))
            if image.shape[:2] == (height, width):  # else it is stored turned
                yield tile_of(image, faces[0].box)


def _is_whole(box: Box, margin: float, width: int, height: int) -> bool:
    """Whether a face's crop is all picture, and was not moved to be."""
    x, y, *size = box
    apart = face_region((x + width, y + height, size[0], size[1]), margin, 3 * width, 3 * height)
    return face_region(box, margin, width, height) == (apart[0] - width, apart[1] - height, *apart[2:])


def _counted(faces: int, shown: Sequence[np.ndarray], detector: Detector) -> Counted:
    labels, highest, found = [], [], []
    with tempfile.TemporaryDirectory(prefix="deepfake-groups-") as folder:
        path = Path(folder) / "picture.png"
        for picture in track(shown, f"{faces} faces", transient=True, console=Console(stderr=True)):
            Image.fromarray(picture).save(path, compress_level=1)
            answer = detector.analyze(path)
            scores = [face.confidence for face in answer.frames[0].faces]
            labels.append(answer.label == "FAKE")
            highest.append(max(scores, default=0.0) >= answer.threshold)
            found.append(len(scores))
    each = np.arange(len(shown))
    return Counted(
        faces, len(shown), float(np.mean(found)), share(np.array(labels), each), share(np.array(highest), each)
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deepfake_training.group_pictures",
        description=(__doc__ or "").partition(": ")[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("data", type=Path, metavar="DATA", help="a manifest, as `deepfake evaluate` takes it")
    parser.add_argument("--split", action="append", help="of the manifest; may be given again (val and control)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--triton", metavar="HOST:PORT", help="gRPC of a running Triton (default: one of its own)")
    where.add_argument("--repository", type=Path, help="model repository to serve (default: the clone's)")
    parser.add_argument("--seed", type=int, default=7, help="decides which faces are put together (%(default)s)")
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except DeepfakeError as error:
        sys.exit(str(error))
