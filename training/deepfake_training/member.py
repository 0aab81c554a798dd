"""Trains one network of the ensemble."""

import copy
import logging
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from deepfake_detector.network import HybridNetwork
from rich.progress import Progress
from torch import Tensor, nn
from torch.nn import functional

from deepfake_training.batches import PairOrder, batches
from deepfake_training.data import Sample
from deepfake_training.recipes import Recipe

LABEL_SMOOTHING = 0.05
WARM_UP = 0.03  # of the budget
SAVE_EVERY_S = 30.0  # of processor time
EMA_DECAY = 0.998
log = logging.getLogger(__name__)


@dataclass
class Clock:
    """Processor time spent on learning, in seconds: a paused or crowded machine costs nothing of the budget."""

    before: float = 0.0
    started: float = field(default_factory=time.process_time)

    def spent(self) -> float:
        return self.before + time.process_time() - self.started


def train_member(
    network: HybridNetwork,
    samples: list[Sample],
    crops: np.ndarray,
    recipe: Recipe,
    checkpoint: Path,
    seed: int,
    teacher: HybridNetwork | None = None,
) -> HybridNetwork:
    """The averaged (EMA) network after the recipe's budget; goes on from `checkpoint` if that exists.

    Crops uint8 [N, 224, 224, 3] belong to `samples`. With a teacher, the network also learns the teacher's answer and
    pooled features on the same augmented pictures (Hinton et al. 2015; Romero et al. 2015, FitNets).
    """
    torch.manual_seed(seed)
    network = network.to(memory_format=torch.channels_last).train()
    average = copy.deepcopy(network).eval().requires_grad_(False)
    hint = nn.Linear(_width(network), _width(teacher)) if teacher else nn.Identity()
    optimizer = torch.optim.AdamW(
        [*network.parameters(), *hint.parameters()], recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    kept = {"network": network, "average": average, "hint": hint, "optimizer": optimizer}
    step, clock, budget = 0, Clock(), recipe.processor_minutes * 60
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        for name, part in kept.items():
            part.load_state_dict(state[name])
        step, clock = state["step"], Clock(before=state["spent"])
    saved, mean_loss = clock.spent(), None
    order = PairOrder(samples, recipe.pairs, seed)
    with Progress(transient=True) as bar:
        task = bar.add_task(network.spec.role, total=budget, completed=int(clock.spent()))
        for batch in batches(crops, order, step):
            done = clock.spent() / budget
            if done >= 1:
                break
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate * schedule(done)
            side = [size for start, size in recipe.sides if done >= start][-1]
            loss = _loss(network, hint, teacher, to_tensor(batch), side)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
            step += 1
            _follow(average, network, min(EMA_DECAY, (1 + step) / (10 + step)))
            mean_loss = loss.item() if mean_loss is None else 0.98 * mean_loss + 0.02 * loss.item()
            bar.update(task, completed=clock.spent())
            if clock.spent() - saved > SAVE_EVERY_S:
                saved = clock.spent()
                _save(checkpoint, {name: part.state_dict() for name, part in kept.items()}, step, saved)
                log.info("%s %.0f %% step %d side %d loss %.4f", network.spec.role, 100 * done, step, side, mean_loss)
    _save(checkpoint, {name: part.state_dict() for name, part in kept.items()}, step, clock.spent())
    return average


def schedule(done: float) -> float:
    """The learning rate's factor after this share of the budget: a short linear rise, then half a cosine to 0."""
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


def to_tensor(crops: np.ndarray) -> Tensor:
    """uint8 [N, H, W, 3] to float [N, 3, H, W] in 0 to 1."""
    # NHWC memory seen as NCHW is what torch calls channels_last.
    return torch.from_numpy(np.array(crops)).permute(0, 3, 1, 2).float() / 255


def _loss(
    network: HybridNetwork, hint: nn.Module, teacher: HybridNetwork | None, pictures: Tensor, side: int
) -> Tensor:
    """The batch holds as many reals, first, as fakes."""
    small = functional.interpolate(pictures, (side, side), mode="bilinear", antialias=True)
    labels = torch.arange(len(pictures)) // (len(pictures) // 2)
    features = network.backbone(network.normalise(small))
    logits = network.classify(features, network.fft_features(pictures))
    loss = functional.cross_entropy(logits, labels, label_smoothing=LABEL_SMOOTHING)
    if teacher is None:
        return loss
    with torch.no_grad():
        taught = teacher.backbone(teacher.normalise(small))
        answer = teacher.classify(taught, teacher.fft_features(pictures)).softmax(1)
    likeness = functional.cosine_similarity(hint(features), taught).mean()
    return 0.5 * loss + 0.5 * functional.cross_entropy(logits, answer) + (1 - likeness)


def _width(network: HybridNetwork) -> int:
    """Pooled features of its backbone."""
    return int(network.backbone.num_features)  # type: ignore[arg-type]


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    for mean, value in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.dtype.is_floating_point:
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)


def _save(checkpoint: Path, state: dict, step: int, spent: float) -> None:
    """Whole or not at all."""
    partial = checkpoint.with_suffix(".partial")
    torch.save({**state, "step": step, "spent": spent}, partial)
    partial.replace(checkpoint)
