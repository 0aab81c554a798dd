"""A network of the size of MesoNet, which ours have to beat: Meso-4 of Afchar et al. 2018 (MesoNet: a Compact Facial
Video Forgery Detection Network) with the same numbers of filters and weights, for crops of any size."""

import logging
import time

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress
from torch import Tensor, nn
from torch.nn import functional

from deepfake_training.batches import batches
from deepfake_training.crops import Crops
from deepfake_training.network_training import LOG_EVERY_S, schedule
from deepfake_training.pace import BySteps
from deepfake_training.pairs import PairOrder
from deepfake_training.probabilities import to_tensor
from deepfake_training.progress import Report
from deepfake_training.recipes import Mixture

LEARNING_RATE = 1e-3
PAIRS = 16  # a step
CELLS = 8  # along each side of the last maps, as a picture of 256 pixels leaves in the paper
BATCH = 64  # crops that are judged at once
log = logging.getLogger(__name__)


class MesoNet(nn.Module):
    """27,977 weights: four convolutions, each with its ReLU, norm and pooling, and two small layers."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.Sequential(
            *_block(3, 8, 3, nn.MaxPool2d(2)),
            *_block(8, 8, 5, nn.MaxPool2d(2)),
            *_block(8, 16, 5, nn.MaxPool2d(2)),
            *_block(16, 16, 5, nn.AdaptiveMaxPool2d(CELLS)),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(0.5),
            nn.Linear(16 * CELLS**2, 16),
            nn.LeakyReLU(0.1),
            nn.Dropout(0.5),
            nn.Linear(16, 1),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """The logit of FAKE, float [N], of RGB [N, 3, S, S] in 0 to 1, S at least 64."""
        return self.classifier(self.maps(pictures))[:, 0]


def _block(channels: int, filters: int, side: int, pool: nn.Module) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(channels, filters, side, padding=side // 2)
    return convolution, nn.ReLU(), nn.BatchNorm2d(filters), pool


def train_mesonet(crops: Crops, mixture: Mixture, pictures: int, seed: int) -> MesoNet:
    """After about so many augmented pictures, in the pairs that any network of ours would get; in evaluation mode."""
    torch.manual_seed(seed)
    network = MesoNet().train()
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    y_true = torch.arange(2 * PAIRS) // PAIRS
    pace = BySteps(max(1, pictures // (2 * PAIRS)))
    pace.begin()
    report, mean_loss = Report("MesoNet", 2 * PAIRS, pace), 0.0
    made = batches(crops, PairOrder(crops.samples, PAIRS, seed), mixture, 0)
    with Progress(*Progress.get_default_columns(), transient=True, console=Console(stderr=True)) as bar:
        task = bar.add_task("MesoNet", total=1.0)
        while (done := pace.done()) < 1:
            for group in optimizer.param_groups:
                group["lr"] = LEARNING_RATE * schedule(done)
            with report.waiting():
                shown = to_tensor(next(made).pictures)
            loss = functional.binary_cross_entropy_with_logits(network(shown), y_true.float())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            mean_loss = loss.item() if pace.steps == 0 else 0.98 * mean_loss + 0.02 * loss.item()
            pace.steps += 1
            bar.update(task, completed=done)
            if time.monotonic() - report.last >= LOG_EVERY_S:
                report.line(shown.shape[-1], mean_loss)
    seen = 2 * PAIRS * pace.steps
    log.info("MesoNet has seen %d pictures in %.0f s, %.0f a second", seen, pace.spent_s, seen / pace.spent_s)
    return network.eval()


@torch.inference_mode()
def mesonet_scores(network: MesoNet, crops: Crops) -> np.ndarray:
    """Probability of FAKE of each crop, float64 [N]."""
    starts = range(0, len(crops.samples), BATCH)
    parts = [network(to_tensor(crops.pictures[start : start + BATCH])).double().sigmoid() for start in starts]
    return torch.cat(parts).numpy()
