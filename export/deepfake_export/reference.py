"""What each served model should answer: computed from the bundle by PyTorch with autograd, and scikit-learn."""

import numpy as np
import onnxruntime
import torch
from deepfake_contract.description import BundleDescription
from deepfake_contract.tensors import (
    BOXES,
    EVIDENCE,
    HEATMAP,
    LANDMARKS,
    MODEL_PROBABILITIES,
    PROBABILITY,
    SCORES,
    fft_input,
    of_network,
)
from deepfake_networks.bundle import Bundle
from deepfake_networks.evidence import norm_after_pooling
from deepfake_networks.maps import feature_map, share_out
from deepfake_networks.network import HybridNetwork
from torch import Tensor

from deepfake_export.face_detector import ANCHORS, CENTRE_SCALE, CHANNEL_MEANS, SCORE_FLOOR, SIZE_SCALE, raw_model
from deepfake_export.graphs import pictures
from deepfake_export.meta_model import estimators
from deepfake_export.sessions import Tensors

BATCH = 8  # crops


def ensemble_reference(bundle: Bundle, crops: np.ndarray, face_sides: np.ndarray) -> Tensors:
    """Every tensor of the ensemble for crops uint8 [N, side, side, 3], by the name it has there; `face_sides` [N, 1]
    are for the networks that want them."""
    tensors: Tensors = {}
    for name, network in bundle.networks.items():
        fft, probability, evidence = _run(network, crops, face_sides)
        answers = ((fft_input(network.spec.fft_width), fft), (PROBABILITY, probability), (EVIDENCE, evidence))
        tensors |= {of_network(name, spec).name: value for spec, value in answers}
    return tensors | stacking_reference(bundle.description, tensors)


def stacking_reference(description: BundleDescription, tensors: Tensors) -> Tensors:
    """The answer from each network's probability and evidence, by scikit-learn; NaN of NaN."""
    names, stacking = description.names, description.stacking
    probabilities = np.concatenate([tensors[of_network(name, PROBABILITY).name] for name in names], axis=1)
    stacked = estimators(stacking).predict_proba(np.nan_to_num(probabilities.astype(np.float64)))[:, 1:]
    maps = np.stack([tensors[of_network(name, EVIDENCE).name] for name in names], axis=1)
    return {
        PROBABILITY.name: np.where(np.isnan(probabilities).any(axis=1, keepdims=True), np.nan, stacked),
        MODEL_PROBABILITIES: probabilities,
        HEATMAP.name: np.einsum("nrhw,r->nhw", maps, stacking.heatmap_weights()),
    }


def evidence_and_hidden(
    network: HybridNetwork, images: Tensor, face_sides: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Gradient × activation of the margin [N, 7, 7], the gradient by autograd, a norm's statistics after pooling taken
    as given numbers; and the classifier's hidden units before their ReLU [N, 256]."""
    with torch.no_grad():
        maps = feature_map(network.backbone, network.normalise(images))
        others = network.other_features(images, face_sides)
    maps.requires_grad_()
    pooled = maps.mean(dim=(2, 3))
    norm = norm_after_pooling(network.backbone)
    if norm is not None:
        fixed = pooled.detach()
        deviation = torch.sqrt(fixed.var(dim=1, unbiased=False, keepdim=True) + norm.eps)
        pooled = (pooled - fixed.mean(dim=1, keepdim=True)) / deviation * norm.weight + norm.bias
    logits = network.classify(pooled, others)
    gradient = torch.autograd.grad((logits[:, 1] - logits[:, 0]).sum(), maps)[0]
    hidden = network.classifier[1](torch.cat([pooled.detach(), others], dim=1)).detach()
    return share_out((gradient * maps.detach()).sum(dim=1)), hidden


def face_reference(frame: np.ndarray) -> Tensors:
    """The candidates of a frame uint8 [H, W, 3]: the package's own graph, its heads decoded by numpy."""
    session = onnxruntime.InferenceSession(raw_model().SerializeToString(), providers=["CPUExecutionProvider"])
    picture = (frame[None, :, :, ::-1].astype(np.float32) - CHANNEL_MEANS).transpose(0, 3, 1, 2)
    loc, conf, points = session.run(["loc", "conf", "landmarks"], {"input": picture.astype(np.float32)})
    anchors = np.array(
        [
            ((column + 0.5) * step, (row + 0.5) * step, side)
            for step, sides in ANCHORS.items()
            for row in range(-(-frame.shape[0] // step))
            for column in range(-(-frame.shape[1] // step))
            for side in sides
        ]
    )
    kept = conf[0, :, 1] > SCORE_FLOOR
    centre, side = anchors[kept, :2], anchors[kept, 2:]
    size = side * np.exp(loc[0, kept, 2:] * SIZE_SCALE)
    corner = centre + loc[0, kept, :2] * CENTRE_SCALE * side - size / 2
    landmarks = centre[:, None] + points[0, kept].reshape(-1, 5, 2) * CENTRE_SCALE * side[:, None]
    return {BOXES.name: np.hstack([corner, size]), SCORES.name: conf[0, kept, 1], LANDMARKS.name: landmarks}


def _run(
    network: HybridNetwork, crops: np.ndarray, face_sides: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The spectrum's features, the probability [N, 1] and the evidence of one network, in small batches."""
    parts = []
    for start in range(0, len(crops), BATCH):
        images = pictures(torch.from_numpy(crops[start : start + BATCH]))
        sides = torch.from_numpy(face_sides[start : start + BATCH])
        with torch.no_grad():
            fft, probability = network.fft_features(images), network(images, sides).softmax(dim=1)[:, 1:]
        parts.append((fft.numpy(), probability.numpy(), evidence_and_hidden(network, images, sides)[0].numpy()))
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))  # type: ignore[return-value]
