"""A training run's checkpoint: written while it runs, read when it is started again."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from deepfake_training.pace import Pace


def resume(checkpoint: Path, kept: Mapping[str, Any], pace: Pace) -> None:
    """Fills what is kept, and the pace, from the checkpoint; without one the run begins."""
    if not checkpoint.exists():
        pace.begin()
        return
    state = torch.load(checkpoint, weights_only=True, map_location="cpu")
    for name, part in kept.items():
        part.load_state_dict(state[name])
    torch.set_rng_state(state["random"])
    torch.cuda.set_rng_state_all(state["gpu_random"])
    pace.begin(state["step"], state["spent_s"])


def save(checkpoint: Path, kept: Mapping[str, Any], pace: Pace) -> None:
    """Writes what is kept (modules, optimizer) and the pace, whole or not at all."""
    partial = checkpoint.with_name(f"{checkpoint.stem}-{os.getpid()}.partial")
    state = {name: part.state_dict() for name, part in kept.items()}
    random = {"random": torch.get_rng_state(), "gpu_random": torch.cuda.get_rng_state_all()}
    try:
        torch.save({**state, "step": pace.steps, "spent_s": pace.spent_s, **random}, partial)
        partial.replace(checkpoint)
    finally:
        partial.unlink(missing_ok=True)
