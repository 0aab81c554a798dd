"""What a detector predicts for each file, by the very pipeline that serves everyone else."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from deepfake_client.analysis.certainty import Measured, measured
from deepfake_client.analysis.pipeline import analysis
from deepfake_client.analysis.served_bundle import ServedBundle
from deepfake_client.analysis.triton import Connection, Triton
from deepfake_client.embedded import embedded_triton
from deepfake_client.results import FaceResult, FrameResult, Result
from deepfake_client.settings import ClientSettings
from deepfake_contract.errors import BusyError, DeepfakeError, UnavailableError
from deepfake_contract.policy import Policy
from rich.progress import track

from deepfake_training.data import Sample
from deepfake_training.torch_networks import TorchNetworks

AT_ONCE = 2  # files
Connect = Callable[[], Connection]


@dataclass(frozen=True)
class Prediction:
    """`y_score`: probability of FAKE, `networks`: each network's by name, `measured`: what the rules of certainty judge
    by. These are None, and `reason` says why, where there is no answer.

    `frame_scores`: the probability of each frame with a face; a picture has one. `faces`: for each of these frames, and
    each face that may decide it, what every network gave, in the bundle's order."""

    y_score: float | None
    networks: Mapping[str, float] | None
    label: str
    certainty: str
    frames: int
    reason: str
    measured: Measured | None = None
    frame_scores: tuple[float, ...] = ()
    faces: tuple[tuple[tuple[float, ...], ...], ...] = ()


@contextmanager
def served(address: str | None) -> Iterator[Connect]:
    """Connections to the Triton at the address, or to one of our own that serves the clone's repository."""
    settings = ClientSettings.from_environment()

    def connect(address: str) -> Triton:
        return Triton(address, settings.request_deadline_s, time.monotonic() + settings.analysis_deadline_s)

    if address:
        yield lambda: connect(address)
    else:
        with embedded_triton() as own:
            yield lambda: connect(own)


@contextmanager
def through_torch(bundle: Path) -> Iterator[Connect]:
    """The bundle's networks in PyTorch; faces are detected by a Triton of our own."""
    with served(None) as connect:
        networks = TorchNetworks(bundle, connect)
        yield lambda: networks


def predict(
    samples: Sequence[Sample], connect: Connect, policy: Policy, prepare: Callable[[Sample], Path], description: str
) -> list[Prediction]:
    """One prediction per sample, in order. `prepare` gives the path to hand over. A Triton that is away or busy ends it
    all; what goes wrong with a file becomes its prediction's reason."""
    settings = ClientSettings.from_environment()

    def of(sample: Sample) -> Prediction:
        try:
            with closing(analysis(prepare(sample), connect(), settings, None, False)) as events:
                for event in events:
                    last = event
        except (UnavailableError, BusyError):
            raise
        except DeepfakeError as error:
            return Prediction(None, None, "", "", 0, str(error))
        except OSError as cause:
            return Prediction(None, None, "", "", 0, f"The file could not be read: {cause.strerror or cause}.")
        assert isinstance(last, Result)  # what every analysis ends with
        return _from_result(last, policy)

    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        return list(track(pool.map(of, samples), description=description, total=len(samples), transient=True))
    finally:
        pool.shutdown(cancel_futures=True)


def y_scores(samples: Sequence[Sample], predictions: Sequence[Prediction], networks: Sequence[str]) -> np.ndarray:
    """Probabilities float64 [N, 1 + networks], of the ensemble and of each network by name.

    No answer counts as wrong as can be: a real as 1, a fake as 0.
    """
    rows = [
        [float(not sample.fake)] * (1 + len(networks))
        if each.networks is None
        else [each.y_score, *(each.networks[name] for name in networks)]
        for sample, each in zip(samples, predictions, strict=True)
    ]
    return np.array(rows, dtype=np.float64)


def frame_scores(samples: Sequence[Sample], predictions: Sequence[Prediction]) -> tuple[np.ndarray, np.ndarray]:
    """Whether each frame with a face is of a fake, bool [frames], and its score, float [frames]. A file without an
    answer counts as one frame, which is as wrong as can be."""
    pairs = [
        (sample.fake, score)
        for sample, each in zip(samples, predictions, strict=True)
        for score in each.frame_scores or [float(not sample.fake)]
    ]
    y_true, y_score = zip(*pairs, strict=True)
    return np.array(y_true, dtype=bool), np.array(y_score, dtype=np.float64)


def have_answer(predictions: Sequence[Prediction]) -> np.ndarray:
    """Whether each prediction has an answer, bool [N]."""
    return np.array([each.networks is not None for each in predictions], dtype=bool)


def bundle_of(connect: Connect) -> ServedBundle:
    """The bundle that a connection answers with."""
    connection = connect()
    try:
        return connection.bundle()
    finally:
        connection.close()


def _from_result(result: Result, policy: Policy) -> Prediction:
    if result.networks is None or result.confidence is None:
        return Prediction(None, None, result.label, "", result.frames_processed, "no face")
    given = result.confidence, result.networks, result.frames, result.media
    frames = [frame for frame in result.frames if frame.confidence is not None]
    return Prediction(
        result.confidence,
        result.networks,
        result.label,
        result.certainty or "",
        result.frames_processed,
        "",
        measured(*given, policy, result.file_type == "video"),
        tuple(frame.confidence for frame in frames if frame.confidence is not None),
        tuple(tuple(_probabilities(face, result.networks) for face in _may_decide(frame)) for frame in frames),
    )


def _probabilities(face: FaceResult, names: Iterable[str]) -> tuple[float, ...]:
    return tuple(face.networks[name] for name in names)


def _may_decide(frame: FrameResult) -> list[FaceResult]:
    """As the client chooses: of several faces the whole ones."""
    return [face for face in frame.faces if not face.cut] or frame.faces
