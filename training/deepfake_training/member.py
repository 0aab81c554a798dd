"""Trains one network of the ensemble."""

import copy
import hashlib
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from deepfake_detector.network import HybridNetwork
from rich.progress import Progress
from torch import Tensor, nn

from deepfake_training.batches import PairOrder, batches
from deepfake_training.crops import Crops
from deepfake_training.frozen import FrozenStart
from deepfake_training.loss import member_loss
from deepfake_training.recipes import Recipe

WARM_UP = 0.03  # of the steps
LARGEST_GRADIENT = 5.0  # its norm
SAVE_EVERY_S = 60.0
EMA_DECAY = 0.999
log = logging.getLogger(__name__)


def train_member(network: HybridNetwork, crops: Crops, recipe: Recipe, work: Path, seed: int) -> HybridNetwork:
    """The averaged (EMA) network after the recipe's steps.

    Its checkpoint lies in `work` under the role and what tells this run from others; a run that is stopped and called
    again goes on from there. A GPU is used where torch finds one; the network comes back on the CPU.
    """
    checkpoint = work / f"{network.spec.role}-{_run_digest(network, crops, recipe, seed)}.pt"
    torch.manual_seed(seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = network.to(device).to(memory_format=torch.channels_last).train()
    average = copy.deepcopy(network).eval().requires_grad_(False)
    place = nn.Conv2d(int(network.backbone.num_features), 1, 1).to(device)  # type: ignore[arg-type]
    features: Callable[[Tensor], Tensor] = network.backbone.forward_features  # type: ignore[assignment]
    if recipe.frozen_stages:
        features = FrozenStart(network.backbone, recipe.frozen_stages)
    optimizer = torch.optim.AdamW(
        [*network.parameters(), *place.parameters()], recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    kept = {"network": network, "average": average, "place": place, "optimizer": optimizer}
    first = _resume(checkpoint, kept)
    saved, mean_loss = time.monotonic(), None
    made = batches(crops, PairOrder(crops.samples, recipe.pairs, seed), recipe.diet, first)
    with Progress(*Progress.get_default_columns(), transient=True) as bar:
        task = bar.add_task(network.spec.role, total=recipe.steps, completed=first)
        for step in range(first, recipe.steps):
            done = step / recipe.steps
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate * schedule(done)
            side = [size for start, size in recipe.sides if done >= start][-1]
            batch = next(made)
            loss = member_loss(network, features, place, to_tensor(batch.pictures, device), batch.aligned, side)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
            optimizer.step()
            _follow(average, network, min(EMA_DECAY, (1 + step) / (10 + step)))
            mean_loss = loss.item() if mean_loss is None else 0.98 * mean_loss + 0.02 * loss.item()
            bar.update(task, completed=step + 1, description=f"{network.spec.role} loss {mean_loss:.3f}")
            if time.monotonic() - saved >= SAVE_EVERY_S:
                saved = time.monotonic()
                _save(checkpoint, kept, step + 1)
                log.info("%s step %d of %d side %d loss %.4f", network.spec.role, step, recipe.steps, side, mean_loss)
    made.close()
    _save(checkpoint, kept, recipe.steps)
    return average.cpu()


def schedule(done: float) -> float:
    """The learning rate's factor after this share of the steps: a short linear rise, then half a cosine to 0."""
    if done < WARM_UP:
        return max(done / WARM_UP, 0.01)
    return 0.5 * (1 + float(np.cos(np.pi * (done - WARM_UP) / (1 - WARM_UP))))


@torch.inference_mode()
def probabilities(network: HybridNetwork, crops: np.ndarray, batch_size: int = 16) -> np.ndarray:
    """Probability of FAKE for crops uint8 [N, 224, 224, 3], float64 [N]."""
    network.eval()
    parts = [
        network(to_tensor(crops[start : start + batch_size])).softmax(1)[:, 1].double()
        for start in range(0, len(crops), batch_size)
    ]
    return torch.cat(parts).numpy()


def to_tensor(crops: np.ndarray, device: torch.device | str = "cpu") -> Tensor:
    """uint8 [N, H, W, 3] to float [N, 3, H, W] in 0 to 1."""
    # NHWC memory seen as NCHW is what torch calls channels_last.
    return torch.from_numpy(np.array(crops)).to(device).permute(0, 3, 1, 2).float() / 255


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    for mean, value in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.dtype.is_floating_point:
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)


def _run_digest(network: HybridNetwork, crops: Crops, recipe: Recipe, seed: int) -> str:
    """Of all data that decide what comes out: the start's weights, the pictures, the recipe, the seed."""
    digest = hashlib.sha256(repr((crops.samples, network.spec, recipe, seed)).encode())
    for value in (*network.state_dict().values(), crops.pictures, crops.landmarks):
        digest.update(np.ascontiguousarray(value).reshape(-1).data)
    return digest.hexdigest()[:12]


def _resume(checkpoint: Path, kept: dict) -> int:
    """Fills what is kept from the checkpoint; the step to go on with, 0 where there is none."""
    if not checkpoint.exists():
        return 0
    state = torch.load(checkpoint, weights_only=True, map_location="cpu")
    for name, part in kept.items():
        part.load_state_dict(state[name])
    torch.set_rng_state(state["random"])
    torch.cuda.set_rng_state_all(state["gpu_random"])
    return state["step"]


def _save(checkpoint: Path, kept: dict, step: int) -> None:
    """Whole or not at all."""
    partial = checkpoint.with_name(f"{checkpoint.stem}-{os.getpid()}.partial")
    state = {name: part.state_dict() for name, part in kept.items()}
    random = {"random": torch.get_rng_state(), "gpu_random": torch.cuda.get_rng_state_all()}
    try:
        torch.save({**state, "step": step, **random}, partial)
        partial.replace(checkpoint)
    finally:
        partial.unlink(missing_ok=True)
