"""Names, types and shapes of the served models and their tensors: both sides of the wire."""

from dataclasses import dataclass

MAP_SIDE = 7  # cells of an evidence map
ENSEMBLE = "deepfake_ensemble"
FFT_BRANCH = "fft_branch"
META_MODEL = "meta_model"
FACE_DETECTOR = "face_detector"  # one frame per request, without a batch axis
OTHER_MODELS = (ENSEMBLE, FFT_BRANCH, META_MODEL, FACE_DETECTOR)  # than the networks, which are models too
BUNDLE_PARAMETER = "deepfake_bundle"  # of the ensemble's configuration: the bundle's description as JSON


@dataclass(frozen=True)
class TensorSpec:
    """A tensor of a model, without the batch axis; -1 is any length."""

    name: str
    dims: tuple[int, ...]
    uint8: bool = False


CROPS = "CROPS"  # UINT8, RGB
FFT = "FFT"
MODEL_PROBABILITIES = "MODEL_PROBABILITIES"
FACE_SIDE = TensorSpec("FACE_SIDE", (1,))  # longer side of the face in the source, pixels; where a network asks for it
PROBABILITY = TensorSpec("PROBABILITY", (1,))  # of FAKE
EVIDENCE = TensorSpec("EVIDENCE", (MAP_SIDE, MAP_SIDE))  # logits toward FAKE
HEATMAP = TensorSpec("HEATMAP", (MAP_SIDE, MAP_SIDE))

FRAME = TensorSpec("FRAME", (-1, -1, 3), uint8=True)  # RGB
BOXES = TensorSpec("BOXES", (-1, 4))  # x, y, width, height in pixels of the frame
SCORES = TensorSpec("SCORES", (-1,))
LANDMARKS = TensorSpec("LANDMARKS", (-1, 5, 2))  # x, y: eyes, nose, corners of the mouth


def crops_input(side: int) -> TensorSpec:
    """RGB face crops, `side` pixels wide and high."""
    return TensorSpec(CROPS, (side, side, 3), uint8=True)


def fft_input(features: int) -> TensorSpec:
    """The spectrum's features as a network takes them."""
    return TensorSpec(FFT, (features,))


def model_probabilities(networks: int) -> TensorSpec:
    """Each network's probability of FAKE, in the bundle's order."""
    return TensorSpec(MODEL_PROBABILITIES, (networks,))


def of_network(network: str, spec: TensorSpec) -> TensorSpec:
    """A network's tensor as the ensemble calls it, such as SWIN_PROBABILITY."""
    return TensorSpec(f"{network.upper()}_{spec.name}", spec.dims, spec.uint8)
