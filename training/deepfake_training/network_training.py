"""Trains one network of the ensemble."""

import copy
import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from deepfake_networks.network import HybridNetwork
from rich.progress import Progress
from torch import Tensor, nn

from deepfake_training.batches import batches
from deepfake_training.checkpoints import resume, save
from deepfake_training.crops import Crops
from deepfake_training.loss import Objective
from deepfake_training.machine import Machine
from deepfake_training.optimizer import make_optimizer, set_rate
from deepfake_training.pace import BySteps, Pace
from deepfake_training.pairs import PairOrder, blendable
from deepfake_training.probabilities import to_tensor
from deepfake_training.progress import Report
from deepfake_training.recipes import Recipe

WARM_UP = 0.03  # of the run
LARGEST_GRADIENT = 5.0  # its norm
SAVE_EVERY_S = 60.0
LOG_EVERY_S = 10.0
AVERAGED_OVER = 32_000  # pictures: the averaged (EMA) network forgets at this rate, whatever the batch


def train_network(
    network: HybridNetwork,
    crops: Crops,
    recipe: Recipe,
    work: Path,
    seed: int,
    machine: Machine | None = None,
    pace: Pace | None = None,
) -> HybridNetwork:
    """The averaged (EMA) network after the recipe's steps, or after as long as `pace` says, mixed with its share of
    `network` as it was given; in evaluation mode, on the machine's device.

    Its checkpoint lies in `work` under its name and what tells this run from others; a run that is stopped and called
    again goes on from there. On a GPU the whole step runs there, in bfloat16 where autocast sees no harm.
    """
    machine, pace = machine or Machine.here(), pace or BySteps(recipe.steps)
    checkpoint = work / f"{network.spec.name}-{_run_digest(network, crops, recipe, seed)}.pt"
    torch.manual_seed(seed)
    torch.backends.cudnn.benchmark = True  # every step has the same shapes
    network = network.to(machine.device).to(memory_format=torch.channels_last).train()
    average = copy.deepcopy(network).eval().requires_grad_(False)
    before = copy.deepcopy(average)
    localiser = nn.Conv2d(int(network.backbone.num_features), 1, 1).to(machine.device)  # type: ignore[arg-type]
    objective = Objective(network, _features(network, recipe), localiser, recipe.localisation_weight)
    optimizer = make_optimizer(network, localiser, recipe)
    kept = {"network": network, "average": average, "localiser": localiser, "optimizer": optimizer}
    resume(checkpoint, kept, pace)
    mean_loss, report, saved = None, Report(network.spec.name, 2 * recipe.pairs, pace), time.monotonic()
    made = batches(crops, _pair_order(crops, recipe, seed), recipe.mixture, pace.steps, machine.workers)
    with Progress(*Progress.get_default_columns(), transient=True) as bar:
        task = bar.add_task(network.spec.name, total=1.0)
        while (done := pace.done()) < 1:
            set_rate(optimizer, recipe.learning_rate * schedule(done))
            side = [size for start, size in recipe.sides if done >= start][-1]
            with report.waiting():
                batch = next(made)
            pictures = to_tensor(batch.pictures, machine.device)
            sides, aligned = (each.to(machine.device, non_blocking=True) for each in (batch.face_sides, batch.aligned))
            with machine.autocast():
                loss = objective.loss(pictures, sides, aligned, side)
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
                save(checkpoint, kept, pace)
    save(checkpoint, kept, pace)
    _follow(average, before, 1 - recipe.start_share)
    return average


def _features(network: HybridNetwork, recipe: Recipe) -> Callable[[Tensor], Tensor]:
    if not recipe.frozen_stages:
        return network.backbone.forward_features  # type: ignore[return-value]
    from deepfake_training.frozen import FrozenStart

    return FrozenStart(network.backbone, recipe.frozen_stages)


def _pair_order(crops: Crops, recipe: Recipe, seed: int) -> PairOrder:
    makes_fakes = recipe.mixture.blended + recipe.mixture.swapped > 0
    can = blendable(crops.landmarks, crops.pictures.shape[1]) if makes_fakes else None
    return PairOrder(crops.samples, recipe.pairs, seed, can)


def schedule(done: float) -> float:
    """The learning rate's factor after this share of the run: a short linear rise, then half a cosine to 0."""
    if done < WARM_UP:
        return max(done / WARM_UP, 0.01)
    return 0.5 * (1 + float(np.cos(np.pi * (done - WARM_UP) / (1 - WARM_UP))))


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
    for value in (*network.state_dict().values(), crops.pictures[:, ::16, ::16], crops.landmarks, crops.face_sides):
        digest.update(np.ascontiguousarray(value).reshape(-1).data)
    return digest.hexdigest()[:12]
