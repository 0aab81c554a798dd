"""One connection to a Triton: the served bundle, face candidates, the networks' answers; failures told apart."""

import logging
import random
import threading
import time
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from deepfake_contract import tensors
from deepfake_contract.errors import BusyError, DeadlineError, DeepfakeError, UnavailableError
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput, InferResult
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from deepfake_client.analysis.served_bundle import ServedBundle, parse_bundle

CONTROL_DEADLINE_S = 5.0  # for questions about the server itself
BUSY_PAUSES_S = (0.5, 1.0, 2.0)  # before a request that the queue rejected is tried again, then given up
MAX_MESSAGE_BYTES = 2**31 - 1
CHANNEL = [
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    # gRPC shares connections between channels; after a server's restart a new channel would inherit a long back-off.
    ("grpc.use_local_subchannel_pool", 1),
]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Candidates:
    """Faces that the detector proposes, overlaps included: boxes [K, 4] (x, y, width, height in pixels), scores [K],
    landmarks [K, 5, 2]."""

    boxes: np.ndarray
    scores: np.ndarray
    landmarks: np.ndarray


@dataclass(frozen=True)
class Answers:
    """For N crops: probability of FAKE [N], the networks' [N, networks], heatmaps [N, 7, 7] where asked for."""

    probability: np.ndarray
    networks: np.ndarray
    heatmaps: np.ndarray | None


class Connection(Protocol):
    """What an analysis asks of: a Triton, or whatever stands for one where networks are evaluated without."""

    def bundle(self) -> ServedBundle: ...

    def face_candidates(self, picture: np.ndarray) -> Candidates: ...

    def ask_networks(
        self, crops: np.ndarray, heatmaps: bool = False, face_sides: np.ndarray | None = None
    ) -> Answers: ...

    def close(self) -> None: ...


class Triton:
    """A gRPC connection of one process (make it after a fork), usable by its threads.

    Each request waits at most `deadline_s`, and none past `until` (of time.monotonic). Methods raise BusyError,
    UnavailableError or DeadlineError. `close` ends the requests under way at once.
    """

    def __init__(self, address: str, deadline_s: float, until: float = float("inf")):
        self.address = address
        self._deadline_s = deadline_s
        self._until = until
        self._client = InferenceServerClient(address, channel_args=CHANNEL)
        self._closed = threading.Event()

    def bundle(self) -> ServedBundle:
        """What deepfake_ensemble says about itself; asked anew, so that a server's update is seen."""
        config = self._control(self._client.get_model_config, tensors.ENSEMBLE).config
        if tensors.BUNDLE_PARAMETER not in config.parameters:
            raise UnavailableError(
                f"The {tensors.ENSEMBLE} at {self.address} has no parameter {tensors.BUNDLE_PARAMETER}: "
                "serve a repository that `deepfake export` wrote."
            )
        return parse_bundle(config.parameters[tensors.BUNDLE_PARAMETER].string_value, config.max_batch_size)

    def readiness(self) -> dict[str, bool]:
        """Whether each model that an analysis needs is ready; UnavailableError where no server answers."""
        config = self._control(self._client.get_model_config, tensors.ENSEMBLE).config
        steps = [step.model_name for step in config.ensemble_scheduling.step]
        models = [tensors.ENSEMBLE, tensors.FACE_DETECTOR, *steps]
        return {model: self._control(self._client.is_model_ready, model) for model in models}

    def face_candidates(self, picture: np.ndarray) -> Candidates:
        """Proposals for an RGB uint8 [H, W, 3] picture."""
        names = [each.name for each in (tensors.BOXES, tensors.SCORES, tensors.LANDMARKS)]
        answer = self._infer(tensors.FACE_DETECTOR, {tensors.FRAME.name: picture}, names)
        return Candidates(*(answer.as_numpy(name) for name in names))

    def ask_networks(self, crops: np.ndarray, heatmaps: bool = False, face_sides: np.ndarray | None = None) -> Answers:
        """The ensemble's answer for RGB uint8 [N, side, side, 3] crops, N within the served batch size. `face_sides`
        are the faces' longer sides in the source, float32 [N, 1] in pixels, for a bundle that wants them."""
        given = {tensors.CROPS: crops} | ({} if face_sides is None else {tensors.FACE_SIDE.name: face_sides})
        names = [tensors.PROBABILITY.name, tensors.MODEL_PROBABILITIES, *([tensors.HEATMAP.name] if heatmaps else [])]
        probability, networks, *maps = map(self._infer(tensors.ENSEMBLE, given, names).as_numpy, names)
        return Answers(probability[:, 0], networks, *(maps or [None]))

    def close(self) -> None:
        self._closed.set()
        self._client.close()

    def _infer(self, model: str, inputs: dict[str, np.ndarray], outputs: list[str]) -> InferResult:
        given = [InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype)) for name, array in inputs.items()]
        for each, array in zip(given, inputs.values(), strict=True):
            each.set_data_from_numpy(np.ascontiguousarray(array))
        wanted = [InferRequestedOutput(name) for name in outputs]
        for pause in (*BUSY_PAUSES_S, None):
            try:
                return self._call(self._client.infer, model, given, outputs=wanted, client_timeout=self._wait_s())
            except BusyError:
                # Jitter, or the clients that were rejected together come back together.
                if pause is None or self._closed.wait(pause * random.uniform(0.5, 1.5)):
                    raise
        raise AssertionError("unreachable")

    def _wait_s(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise DeadlineError("The analysis took longer than it may; try fewer frames or a shorter clip.")
        return min(self._deadline_s, left)

    def _control(self, question, model: str):
        return self._call(question, model, client_timeout=min(CONTROL_DEADLINE_S, self._wait_s()))

    def _call(self, method, model: str, *arguments, **options):
        try:
            return method(model, *arguments, **options)
        except InferenceServerException as cause:
            raise self._explain(cause, model) from cause
        except ValueError as cause:  # what gRPC raises on a closed channel
            if self._closed.is_set():
                raise _closed_error() from cause
            raise

    def _explain(self, cause: InferenceServerException, model: str) -> DeepfakeError:
        if self._closed.is_set():
            return _closed_error()
        if cause.status() == "StatusCode.UNAVAILABLE" and self._is_up():
            return BusyError("The detector has too much work at the moment; try again in a few seconds.")
        # The server's own words may name its files: for the log, not for the reader.
        log.warning("Triton at %s, model %s: %s %s", self.address, model, cause.status(), cause.message())
        if cause.status() == "StatusCode.UNAVAILABLE":
            return UnavailableError(f"No Triton answers at {self.address}; start it, or give another address.")
        if cause.status() == "StatusCode.DEADLINE_EXCEEDED":
            return DeadlineError(
                f"Triton at {self.address} did not answer in time ({model}); try again later, or raise "
                "DEEPFAKE_REQUEST_DEADLINE_S."
            )
        return UnavailableError(f"Triton at {self.address} can't run the model {model}; see its log.")

    def _is_up(self) -> bool:
        """Busy and dead are both UNAVAILABLE, but a busy server says that it is ready."""
        try:
            return self._client.is_server_ready(client_timeout=CONTROL_DEADLINE_S)
        except (InferenceServerException, ValueError):
            return False


def _closed_error() -> UnavailableError:
    return UnavailableError("The detector was closed while it worked.")
