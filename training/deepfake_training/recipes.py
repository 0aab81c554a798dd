"""How each network of a profile learns."""

from dataclasses import dataclass, replace

from deepfake_contract.description import NetworkSpec
from deepfake_contract.policy import Policy
from deepfake_networks.profiles import BASE, BASE_POLICY, LITE, LITE_POLICY

from deepfake_training.augment import LIGHT, MEDIUM, STRONG, Augmentation

HELD_OUT_SHARE = 0.1  # of the training groups: never learnt from, kept for the stacking and its figures


@dataclass(frozen=True)
class Mixture:
    """A training mixture: the shares of pairs whose fake is made from the real by self-blending, and by swapping
    another face onto it; the rest are the labelled fakes. `augmentation`: of both pictures of a pair."""

    blended: float
    swapped: float
    augmentation: Augmentation


MIXTURES = {
    "labelled": Mixture(blended=0.0, swapped=0.0, augmentation=LIGHT),
    "blended": Mixture(blended=0.25, swapped=0.25, augmentation=MEDIUM),
    "augmented": Mixture(blended=0.1, swapped=0.1, augmentation=STRONG),
    "only_blended": Mixture(blended=0.5, swapped=0.5, augmentation=MEDIUM),
}


@dataclass(frozen=True)
class Recipe:
    """`pictures` is how many augmented pictures the network sees in all. `sides` are the sizes in pixels that the
    backbone is shown, each with the share of the pictures it starts at; the FFT head always sees the whole crop. A step
    holds `pairs` of a real and a fake. The backbone's last block learns at `backbone_rate` of the learning rate, each
    block before it at `layer_decay` of the next one's. The backbone's stem and its first `frozen_stages` stages learn
    nothing (0: all learns), which makes a step cheap; only timm's EfficientNets can be taken apart so.
    `localisation_weight`: of the loss for where a picture was manipulated, beside that for whether (0: not asked)."""

    mixture: Mixture
    pictures: int
    learning_rate: float = 3e-4
    backbone_rate: float = 1.0
    layer_decay: float = 1.0
    weight_decay: float = 0.02
    pairs: int = 16
    sides: tuple[tuple[float, int], ...] = ((0.0, 160), (0.6, 224))
    frozen_stages: int = 0
    localisation_weight: float = 0.5

    @property
    def steps(self) -> int:
        return max(1, self.pictures // (2 * self.pairs))


@dataclass(frozen=True)
class Profile:
    """`networks`: in stacking order, each with its recipe. `half`: weights are rounded and stored as float16, for a
    small bundle. `refining`: the recipe, but for the training mixtures, of `--refine`."""

    name: str
    version: str
    networks: tuple[tuple[NetworkSpec, Recipe], ...]
    policy: Policy
    half: bool
    refining: Recipe | None = None

    def refined(self) -> "Profile":
        """The profile whose networks learn by `refining`, each with its own mixture; ValueError where there is none."""
        if self.refining is None:
            raise ValueError(f"{self.name} has no recipe to refine by")
        networks = tuple((spec, replace(self.refining, mixture=recipe.mixture)) for spec, recipe in self.networks)
        return replace(self, networks=networks)

    def scaled(self, budget: float) -> "Profile":
        """The profile with `budget` times as many pictures for each network."""
        networks = tuple(
            (spec, replace(recipe, pictures=round(recipe.pictures * budget))) for spec, recipe in self.networks
        )
        return replace(self, networks=networks)


def _with_mixtures(specs: tuple[NetworkSpec, ...], recipe: Recipe) -> tuple[tuple[NetworkSpec, Recipe], ...]:
    """The same recipe for each of three networks, but for its training mixture."""
    mixtures = (MIXTURES["labelled"], MIXTURES["blended"], MIXTURES["augmented"])
    return tuple((spec, replace(recipe, mixture=mixture)) for spec, mixture in zip(specs, mixtures, strict=True))


# Small pictures first: a step at 128 pixels takes a third of the time that one at 224 does.
LITE_RECIPE = Recipe(MIXTURES["labelled"], 75_000, learning_rate=4e-4, sides=((0.0, 128), (0.3, 160), (0.75, 224)))
# Trained networks go on at full size. What the first stages know by then is enough: a step takes half the time, and
# 24,000 pictures took one network from .840 to .877 on dfdc's held-out groups (training/EXPERIMENTS.md).
LITE_REFINING = Recipe(MIXTURES["labelled"], 90_000, learning_rate=3e-4, sides=((0.0, 224),), frozen_stages=3)
# Swin's windows are bound to 224 pixels.
BASE_RECIPE = Recipe(MIXTURES["labelled"], 2_000_000, learning_rate=1e-4, pairs=24, sides=((0.0, 224),))
PROFILES = {
    profile.name: profile
    for profile in (
        Profile("lite", "0.4.0", _with_mixtures(LITE, LITE_RECIPE), LITE_POLICY, half=True, refining=LITE_REFINING),
        Profile("base", "1.0.0", _with_mixtures(BASE, BASE_RECIPE), BASE_POLICY, half=False),
    )
}
