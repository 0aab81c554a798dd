"""What a detector answers to each file, by the very pipeline that serves everyone else."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from deepfake_client.analysis.pipeline import analysis
from deepfake_client.analysis.served_bundle import ServedBundle
from deepfake_client.analysis.triton import Connection, Triton
from deepfake_client.embedded import embedded_triton
from deepfake_client.results import Result
from deepfake_client.settings import ClientSettings
from deepfake_contract.errors import BusyError, DeepfakeError, UnavailableError
from deepfake_contract.tensors import ROLES
from rich.progress import track

from deepfake_training.labelled import LabelledFile
from deepfake_training.torch_networks import TorchNetworks

AT_ONCE = 2  # files
Connect = Callable[[], Connection]


@dataclass(frozen=True)
class Answer:
    """`probability` of FAKE, and each network's in stacking order; None and `reason` where there is no answer."""

    probability: float | None
    networks: tuple[float, ...] | None
    label: str
    certainty: str
    frames: int
    reason: str


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
    """The bundle's networks in PyTorch; faces are found by a Triton of our own."""
    with served(None) as connect:
        networks = TorchNetworks(bundle, connect)
        yield lambda: networks


def answer_all(
    files: list[LabelledFile], connect: Connect, prepare: Callable[[LabelledFile], Path], description: str
) -> list[Answer]:
    """An answer a file, in order. `prepare` gives the path to hand over. A Triton that is away or busy ends it all;
    what goes wrong with a file becomes its answer's reason."""
    settings = ClientSettings.from_environment()

    def answer(file: LabelledFile) -> Answer:
        try:
            with closing(analysis(prepare(file), connect(), settings, None, False)) as events:
                for event in events:
                    last = event
        except (UnavailableError, BusyError):
            raise
        except DeepfakeError as error:
            return Answer(None, None, "", "", 0, str(error))
        return _from_result(last) if isinstance(last, Result) else Answer(None, None, "", "", 0, "no result")

    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        return list(track(pool.map(answer, files), description=description, total=len(files), transient=True))
    finally:
        pool.shutdown(cancel_futures=True)


def scores(files: list[LabelledFile], answers: list[Answer]) -> np.ndarray:
    """Probabilities float64 [N, 4] of the stacking and the three networks.

    No answer counts as wrong as can be: a real as 1, a fake as 0.
    """
    worst = {False: 1.0, True: 0.0}
    rows = [
        [worst[file.fake]] * (1 + len(ROLES)) if answer.networks is None else [answer.probability, *answer.networks]
        for file, answer in zip(files, answers, strict=True)
    ]
    return np.array(rows, dtype=np.float64)


def have_answer(answers: list[Answer]) -> np.ndarray:
    """Bool [N]."""
    return np.array([answer.networks is not None for answer in answers], dtype=bool)


def bundle_of(connect: Connect) -> ServedBundle:
    """What answers."""
    connection = connect()
    try:
        return connection.bundle()
    finally:
        connection.close()


def _from_result(result: Result) -> Answer:
    if result.networks is None:
        return Answer(None, None, result.label, "", result.frames_processed, "no face")
    networks = tuple(result.networks[role] for role in ROLES)
    return Answer(result.confidence, networks, result.label, result.certainty or "", result.frames_processed, "")
