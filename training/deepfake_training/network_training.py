"""Trains one network of the ensemble."""

import copy
import hashlib
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from deepfake_networks.network import HybridNetwork
from rich.progress import Progress
from torch import Tensor, nn

from deepfake_training.batches import batches
from deepfake_training.crops import Crops, Picked
from deepfake_training.loss import member_loss
from deepfake_training.machine import Machine
from deepfake_training.optimizer import make_optimizer, set_rate
from deepfake_training.pace import BySteps, Pace
from deepfake_training.pairs import PairOrder, blendable
from deepfake_training.recipes import Recipe

WARM_UP = 0.03  # of the run
LARGEST_GRADIENT = 5.0  # its norm
SAVE_EVERY_S = 60.0
LOG_EVERY_S = 10.0
AVERAGED_OVER = 32_000  # pictures: the averaged (EMA) network forgets at this rate, whatever the batch
log = logging.getLogger(__name__)


def train_member(
    network: HybridNetwork,
    crops: Crops,
    recipe: Recipe,
    work: Path,
    seed: int,
    machine: Machine | None = None,
    pace: Pace | None = None,
) -> HybridNetwork:
    """The averaged (EMA) network after the recipe's steps, or after as long as `pace` says; in evaluation mode, on the
    machine's device.

    Its checkpoint lies in `work` under the role and what tells this run from others; a run that is stopped and called
    again goes on from there.
    """
    machine, pace = machine or Machine.here(), pace or BySteps(recipe.steps)
    checkpoint = work / f"{network.spec.role}-{_run_digest(network, crops, recipe, seed)}.pt"
    torch.manual_seed(seed)
    torch.backends.cudnn.benchmark = True  # every step has the same shapes
    network = network.to(machine.device).to(memory_format=torch.channels_last).train()
    average = copy.deepcopy(network).eval().requires_grad_(False)
    place = nn.Conv2d(int(network.backbone.num_features), 1, 1).to(machine.device)  # type: ignore[arg-type]
    features: Callable[[Tensor], Tensor] = network.backbone.forward_features  # type: ignore[assignment]
    if recipe.frozen_stages:
        from deepfake_training.frozen import FrozenStart

        features = FrozenStart(network.backbone, recipe.frozen_stages)
    optimizer = make_optimizer(network, place, recipe)
    kept = {"network": network, "average": average, "place": place, "optimizer": optimizer}
    _resume(checkpoint, kept, pace)
    mean_loss, report, saved = None, _Report(network.spec.role, 2 * recipe.pairs, pace), time.monotonic()
    made = batches(crops, _pair_order(crops, recipe, seed), recipe.diet, pace.steps, machine.workers)
    with Progress(*Progress.get_default_columns(), transient=True) as bar:
        task = bar.add_task(network.spec.role, total=1.0)
        while (done := pace.done()) < 1:
            set_rate(optimizer, recipe.learning_rate * schedule(done))
            side = [size for start, size in recipe.sides if done >= start][-1]
            with report.waiting():
                batch = next(made)
            pictures = to_tensor(batch.pictures, machine.device)
            with machine.autocast():
                loss = member_loss(network, features, place, pictures, batch.aligned, side)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
            optimizer.step()
            decay = 1 - 2 * recipe.pairs / AVERAGED_OVER
            _follow(average, network, min(decay, (1 + pace.steps) / (10 + pace.steps)))
            # Stays on the device: to read it would make every step wait for its end.
            mean_loss = loss.detach() if mean_loss is None else mean_loss.lerp(loss.detach(), 0.02)
            pace.steps += 1
            bar.update(task, completed=done)
            if time.monotonic() - report.last >= LOG_EVERY_S:
                report.line(side, float(mean_loss))
            if time.monotonic() - saved >= SAVE_EVERY_S:
                saved = time.monotonic()
                _save(checkpoint, kept, pace)
    _save(checkpoint, kept, pace)
    return average


def _pair_order(crops: Crops, recipe: Recipe, seed: int) -> PairOrder:
    makes_fakes = recipe.diet.blended + recipe.diet.swapped > 0
    can = blendable(crops.landmarks, crops.pictures.shape[1]) if makes_fakes else None
    return PairOrder(crops.samples, recipe.pairs, seed, can)


class _Report:
    """A run's lines in the log: how far it is, how fast, and how much of its time it waits for pictures."""

    def __init__(self, name: str, batch: int, pace: Pace):
        self.name, self.batch, self.pace = name, batch, pace
        self.steps, self.last, self.waited = pace.steps, time.monotonic(), 0.0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.waited += time.monotonic() - began

    def line(self, side: int, loss: float) -> None:
        """Of the time since the line before."""
        now, steps = time.monotonic(), self.pace.steps
        log.info(
            "%s %.0f%% step %d side %d loss %.4f, %.1f pictures/s, %.0f%% of the time waiting for them",
            self.name,
            100 * self.pace.done(),
            steps,
            side,
            loss,
            (steps - self.steps) * self.batch / (now - self.last),
            100 * self.waited / (now - self.last),
        )
        self.steps, self.last, self.waited = steps, now, 0.0


def schedule(done: float) -> float:
    """The learning rate's factor after this share of the run: a short linear rise, then half a cosine to 0."""
    if done < WARM_UP:
        return max(done / WARM_UP, 0.01)
    return 0.5 * (1 + float(np.cos(np.pi * (done - WARM_UP) / (1 - WARM_UP))))


@torch.inference_mode()
def probabilities(network: HybridNetwork, crops: np.ndarray | Picked) -> np.ndarray:
    """Probability of FAKE for crops uint8 [N, 224, 224, 3], float64 [N]; computed where the network is, in float32."""
    network.eval()
    device = next(network.parameters()).device
    batch = 256 if device.type == "cuda" else 16
    parts = [
        network(to_tensor(crops[start : start + batch], device)).softmax(1)[:, 1].double()
        for start in range(0, len(crops), batch)
    ]
    return torch.cat(parts).cpu().numpy()


def to_tensor(crops: np.ndarray | Tensor, device: torch.device | str = "cpu") -> Tensor:
    """uint8 [N, H, W, 3] to float [N, 3, H, W] in 0 to 1."""
    given = crops if isinstance(crops, Tensor) else torch.from_numpy(np.array(crops))
    # NHWC memory seen as NCHW is what torch calls channels_last.
    return given.to(device, non_blocking=True).permute(0, 3, 1, 2).float() / 255


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    pairs = list(zip(average.state_dict().values(), network.state_dict().values(), strict=True))
    means, values = zip(*[pair for pair in pairs if pair[0].dtype.is_floating_point], strict=True)
    torch._foreach_lerp_(means, values, 1 - decay)
    for mean, value in pairs:
        if not mean.dtype.is_floating_point:
            mean.copy_(value)


def _run_digest(network: HybridNetwork, crops: Crops, recipe: Recipe, seed: int) -> str:
    """Of all data that decide what comes out: the start's weights, the pictures, the recipe, the seed."""
    digest = hashlib.sha256(repr((crops.samples, network.spec, recipe, seed)).encode())
    # Every 16th pixel each way tells one picture from another.
    for value in (*network.state_dict().values(), crops.pictures[:, ::16, ::16], crops.landmarks):
        digest.update(np.ascontiguousarray(value).reshape(-1).data)
    return digest.hexdigest()[:12]


def _resume(checkpoint: Path, kept: dict, pace: Pace) -> None:
    """Fills what is kept, and the pace, from the checkpoint; where there is none all begins."""
    if not checkpoint.exists():
        pace.begin()
        return
    state = torch.load(checkpoint, weights_only=True, map_location="cpu")
    for name, part in kept.items():
        part.load_state_dict(state[name])
    torch.set_rng_state(state["random"])
    torch.cuda.set_rng_state_all(state["gpu_random"])
    pace.begin(state["step"], state["spent_s"])


def _save(checkpoint: Path, kept: dict, pace: Pace) -> None:
    """Whole or not at all."""
    partial = checkpoint.with_name(f"{checkpoint.stem}-{os.getpid()}.partial")
    state = {name: part.state_dict() for name, part in kept.items()}
    random = {"random": torch.get_rng_state(), "gpu_random": torch.cuda.get_rng_state_all()}
    try:
        torch.save({**state, "step": pace.steps, "spent_s": pace.spent_s, **random}, partial)
        partial.replace(checkpoint)
    finally:
        partial.unlink(missing_ok=True)
