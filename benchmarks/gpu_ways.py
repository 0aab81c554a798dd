"""The ways of answering crops that are compared: bare sessions, served, the original's recipe."""

import time
from dataclasses import dataclass

from bare_host import BareHost
from rates import crops_per_second, random_crops
from recipe import Recipe
from served import ServedEnsemble


@dataclass(frozen=True)
class Bare:
    """An ensemble of the worker's; independent networks one after another or side by side."""

    host: BareHost
    name: str
    parallel: bool

    def call_s(self, batch: int) -> float:
        return self.host.call_s(self.name, self.parallel, batch)

    def rate(self, batch: int, callers: int, seconds: float) -> float:
        return self.host.rate(self.name, self.parallel, batch, callers, seconds)


@dataclass(frozen=True)
class Served:
    """Over gRPC; refused requests count as no crops."""

    ensemble: ServedEnsemble

    def call_s(self, batch: int) -> float:
        crops = random_crops(batch)
        self.ensemble.tensors(crops)
        start = time.perf_counter()
        self.ensemble.tensors(crops)
        return time.perf_counter() - start

    def rate(self, batch: int, callers: int, seconds: float) -> float:
        return crops_per_second(self.ensemble, random_crops(batch), callers, seconds)


@dataclass(frozen=True)
class OneByOne:
    """The recipe has no batches and no callers: it takes one frame at a time."""

    recipe: Recipe

    def call_s(self, batch: int) -> float:
        crops = random_crops(batch)
        self.recipe.crops(crops)
        start = time.perf_counter()
        self.recipe.crops(crops)
        return time.perf_counter() - start

    def rate(self, batch: int, callers: int, seconds: float) -> float:
        return crops_per_second(lambda crops: len(self.recipe.crops(crops)) == batch, random_crops(batch), 1, seconds)
