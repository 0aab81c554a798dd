"""How each network of a profile learns."""

from collections.abc import Callable, Container
from dataclasses import dataclass, replace

from deepfake_contract.description import NetworkSpec
from deepfake_contract.errors import UsageError
from deepfake_contract.policy import Policy
from deepfake_networks.profiles import BASE, BASE_POLICY, LITE, LITE_POLICY

from deepfake_training.augment import LIGHT, MEDIUM, STRONG, Augmentation

HELD_OUT_SHARE = 0.1  # of the training groups: never learnt from, kept for the stacking and its figures


@dataclass(frozen=True)
class Mixture:
    """A training mixture: the shares of pairs whose fake is made from the real by self-blending, and by swapping
    another face onto it; the rest are the labelled fakes. `augmentation`: of both pictures of a pair, before which a
    share of pairs, `evened`, is brought to one amount of fine detail. `raw_only`: learns from the sources that hold
    reals alone, where there are such, so that each source with fakes is one it never saw."""

    blended: float
    swapped: float
    augmentation: Augmentation
    evened: float = 0.0
    raw_only: bool = False


MIXTURES = {
    "labelled": Mixture(blended=0.0, swapped=0.0, augmentation=LIGHT),
    "blended": Mixture(blended=0.25, swapped=0.25, augmentation=MEDIUM),
    "augmented": Mixture(blended=0.1, swapped=0.1, augmentation=STRONG),
    "evened": Mixture(blended=0.2, swapped=0.2, augmentation=MEDIUM, evened=1.0),
    "evened_augmented": Mixture(blended=0.15, swapped=0.15, augmentation=STRONG, evened=1.0),
    "raw_blended": Mixture(blended=0.7, swapped=0.3, augmentation=MEDIUM, evened=0.5, raw_only=True),
}


@dataclass(frozen=True)
class Recipe:
    """`pictures` is how many augmented pictures the network sees in all. `sides` are the sizes in pixels that the
    backbone is shown, each with the share of the pictures it starts at; the FFT head always sees the whole crop. A step
    holds `pairs` of a real and a fake. The backbone's last block learns at `backbone_rate` of the learning rate, each
    block before it at `layer_decay` of the next one's. The backbone's stem and its first `frozen_stages` stages learn
    nothing (0: all learns), which makes a step cheap; only timm's EfficientNets can be taken apart so.
    `localisation_weight`: of the loss for where a picture was manipulated, beside that for whether (0: not asked).
    `begins_with`: the profile's network whose trained weights it begins with; None: ImageNet's.
    `start_share`: of the weights that a network had before it learnt, in the mean with those that it has afterwards:
    what it knew is kept (WiSE-FT, Wortsman et al. 2022)."""

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
    begins_with: str | None = None
    start_share: float = 0.0

    @property
    def steps(self) -> int:
        return max(1, self.pictures // (2 * self.pairs))


@dataclass(frozen=True)
class Profile:
    """`networks`: in stacking order, each with its recipe. `half`: weights are rounded and stored as float16, for a
    small bundle. `refining`: the recipe, but for the training mixtures, of `--refine`; `leaving_out`: that of
    networks which are trained without a source, but for those that never learn from it anyway (`raw_only`)."""

    name: str
    version: str
    networks: tuple[tuple[NetworkSpec, Recipe], ...]
    policy: Policy
    half: bool
    refining: Recipe | None = None
    leaving_out: Recipe | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The networks', in stacking order."""
        return tuple(spec.name for spec, _ in self.networks)

    def network(self, name: str) -> tuple[NetworkSpec, Recipe]:
        """UsageError where there is none of that name."""
        if name not in self.names:
            raise UsageError(f"{self.name} has no network {name!r}; it has {', '.join(self.names)}.")
        return self.networks[self.names.index(name)]

    def refined(self, names: Container[str]) -> "Profile":
        """The profile whose networks of these names learn by `refining`, each with its own mixture; ValueError where
        there is none."""
        refining = self.refining
        if refining is None:
            raise ValueError(f"{self.name} has no recipe to refine by")
        return self._with(lambda name, recipe: replace(refining, mixture=recipe.mixture) if name in names else recipe)

    def without_a_source(self) -> "Profile":
        """The profile whose networks learn by `leaving_out`, each with its own mixture; those that learn from raw
        material alone as ever."""
        shorter = self.leaving_out
        if shorter is None:
            return self
        return self._with(
            lambda _, recipe: recipe if recipe.mixture.raw_only else replace(shorter, mixture=recipe.mixture)
        )

    def scaled(self, budget: float) -> "Profile":
        """The profile with `budget` times as many pictures for each network."""
        return self._with(lambda _, recipe: replace(recipe, pictures=round(recipe.pictures * budget)))

    def _with(self, changed: Callable[[str, Recipe], Recipe]) -> "Profile":
        return replace(self, networks=tuple((spec, changed(spec.name, recipe)) for spec, recipe in self.networks))


# Small pictures first: a step at 128 pixels takes a third of the time that one at 224 does.
LITE_RECIPE = Recipe(MIXTURES["evened"], 75_000, learning_rate=4e-4, sides=((0.0, 128), (0.3, 160), (0.75, 224)))
# Trained networks go on at full size. What the first stages know by then is enough: a step takes half the time, and
# 24,000 pictures took one network from .840 to .877 on dfdc's held-out groups, and a share of what it was before keeps
# what new sources would make it forget (training/EXPERIMENTS.md).
LITE_REFINING = Recipe(
    MIXTURES["evened"], 40_000, learning_rate=3e-4, sides=((0.0, 224),), frozen_stages=3, start_share=0.3
)
# What is common to all manipulations is learnt once, and from no source that is left out.
LITE_LEAVING_OUT = Recipe(
    MIXTURES["evened"], 10_000, learning_rate=3e-4, sides=((0.0, 160),), begins_with="lite0_self_blended"
)
LITE_RECIPES = (
    LITE_RECIPE,
    Recipe(MIXTURES["raw_blended"], 32_000, learning_rate=4e-4, sides=((0.0, 160), (0.7, 224))),
    replace(LITE_RECIPE, mixture=MIXTURES["evened_augmented"]),
)
# Swin's windows are bound to 224 pixels.
BASE_RECIPE = Recipe(MIXTURES["labelled"], 2_000_000, learning_rate=1e-4, pairs=24, sides=((0.0, 224),))
BASE_RECIPES = tuple(replace(BASE_RECIPE, mixture=MIXTURES[name]) for name in ("labelled", "blended", "augmented"))
PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            "lite",
            "0.5.0",
            tuple(zip(LITE, LITE_RECIPES, strict=True)),
            LITE_POLICY,
            half=True,
            refining=LITE_REFINING,
            leaving_out=LITE_LEAVING_OUT,
        ),
        Profile("base", "1.0.0", tuple(zip(BASE, BASE_RECIPES, strict=True)), BASE_POLICY, half=False),
    )
}
