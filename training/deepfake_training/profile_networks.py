"""Trains the networks of a profile, each from where its recipe begins."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from deepfake_contract.description import NetworkSpec
from deepfake_networks.network import HybridNetwork

from deepfake_training.crops import Crops
from deepfake_training.machine import Machine
from deepfake_training.network_training import train_network
from deepfake_training.pretrained import pretrained_network
from deepfake_training.recipes import Profile
from deepfake_training.splits import raw_only

Start = Callable[[NetworkSpec], HybridNetwork | None]  # None where it has no such network


def from_pretrained(_spec: NetworkSpec) -> None:
    """A Start that has none: each network begins as its recipe says."""


@dataclass(frozen=True)
class Trainer:
    """`start` gives networks to begin with in place of the recipe's. Checkpoints lie in `work`: what was trained before
    from the same pictures is not trained again. The order of the pictures depends on `seed` alone, and is another for
    each network."""

    profile: Profile
    work: Path
    seed: int
    machine: Machine
    start: Start = from_pretrained

    def begin(self, name: str, learn: Crops) -> HybridNetwork:
        """The profile's network of that name before it learns."""
        spec, recipe = self.profile.network(name)
        torch.manual_seed(self._seed(name))
        if (given := self.start(spec)) is not None:
            return given
        if recipe.begins_with is None:
            return pretrained_network(spec)
        network = HybridNetwork(spec)
        network.load_state_dict(self.trained(recipe.begins_with, learn).state_dict())
        return network

    def trained(self, name: str, learn: Crops) -> HybridNetwork:
        """The profile's network of that name after it has learnt from these crops, or from the raw material among them
        where its mixture wants no other."""
        _, recipe = self.profile.network(name)
        network = self.begin(name, learn)
        samples = raw_only(learn.samples) if recipe.mixture.raw_only else learn.samples
        return train_network(network, learn.of(samples), recipe, self.work, self._seed(name), self.machine)

    def _seed(self, name: str) -> int:
        return self.seed + self.profile.names.index(name)
