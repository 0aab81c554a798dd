"""Names, types and shapes of every tensor of the served models: the exporting side of the wire."""

from dataclasses import dataclass

CROP_SIDE = 224  # pixels
MAP_SIDE = 7  # cells of an evidence map
ROLES = ("efficientnet", "convnext", "swin")  # the networks' model names, in stacking order
ENSEMBLE = "deepfake_ensemble"
FFT_BRANCH = "fft_branch"
META_MODEL = "meta_model"
FACE_DETECTOR = "face_detector"
BUNDLE_PARAMETER = "deepfake_bundle"  # the ensemble's parameter that describes the bundle, JSON


@dataclass(frozen=True)
class TensorSpec:
    """A tensor of a model, without the batch axis; -1 is any length."""

    name: str
    dims: tuple[int, ...]
    uint8: bool = False


CROPS = TensorSpec("CROPS", (CROP_SIDE, CROP_SIDE, 3), uint8=True)  # RGB
PROBABILITY = TensorSpec("PROBABILITY", (1,))  # of FAKE
MODEL_PROBABILITIES = TensorSpec("MODEL_PROBABILITIES", (len(ROLES),))
EVIDENCE = TensorSpec("EVIDENCE", (MAP_SIDE, MAP_SIDE))  # logits toward FAKE
HEATMAP = TensorSpec("HEATMAP", (MAP_SIDE, MAP_SIDE))
ANSWER = (PROBABILITY, MODEL_PROBABILITIES, HEATMAP)

FRAME = TensorSpec("FRAME", (-1, -1, 3), uint8=True)  # RGB
BOXES = TensorSpec("BOXES", (-1, 4))  # x, y, width, height in pixels of the frame
SCORES = TensorSpec("SCORES", (-1,))
LANDMARKS = TensorSpec("LANDMARKS", (-1, 5, 2))  # x, y: eyes, nose, corners of the mouth, left to right


def fft_input(features: int) -> TensorSpec:
    """The spectrum's features as a network takes them."""
    return TensorSpec("FFT", (features,))


def of_role(role: str, spec: TensorSpec) -> TensorSpec:
    """A network's tensor as it is called outside that network: EFFICIENTNET_PROBABILITY."""
    return TensorSpec(f"{role.upper()}_{spec.name}", spec.dims, spec.uint8)
