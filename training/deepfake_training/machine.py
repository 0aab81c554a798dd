"""What a network is trained on."""

import os
from dataclasses import dataclass

import torch
from deepfake_contract.errors import UsageError


@dataclass(frozen=True)
class Machine:
    """The device that computes, and how many processes prepare pictures for it."""

    device: torch.device
    workers: int

    @classmethod
    def here(cls, device: str | None = None, workers: int | None = None) -> "Machine":
        """The GPU where torch finds one, with one process per core; else the CPU, whose cores belong to the network."""
        found = torch.cuda.is_available()
        chosen = torch.device(device or ("cuda" if found else "cpu"))
        if chosen.type == "cuda" and not found:
            raise UsageError(
                f"PyTorch {torch.__version__} finds no CUDA GPU here: leave --device out to train on the CPU, or look "
                "at what nvidia-smi says."
            )
        return cls(chosen, workers or (cores() if chosen.type == "cuda" else 1))

    def autocast(self) -> torch.autocast:
        """bfloat16 on a GPU; on a CPU it gains nothing (EXPERIMENTS.md)."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda")


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0))
