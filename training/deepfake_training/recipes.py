"""How each network of a profile learns."""

from dataclasses import dataclass, replace

from deepfake_contract.policy import Policy
from deepfake_networks.network import NetworkSpec
from deepfake_networks.profiles import BASE, BASE_POLICY, LITE, LITE_POLICY

from deepfake_training.augment import HARD, LIGHT, USUAL, Wear

# As part of the box's longer side. Measured with the face detector on the training pictures: the box fills 1.01 of a
# dfdc crop (from 0.90 at the 5th to 1.10 at the 95th percentile) but 0.5 to 0.8 of the other sources' pictures, so a
# wider margin would show context that the largest source can't teach.
FACE_MARGIN = 0.05
HELD_OUT_SHARE = 0.1  # of the training groups: never learnt from, kept for the stacking and its figures


@dataclass(frozen=True)
class Diet:
    """What a network is fed: the shares of pairs whose fake is made from the real by self-blending, and by another
    face put onto it; the rest are the labelled fakes. `wear`: what happens to both pictures of a pair."""

    blended: float
    swapped: float
    wear: Wear


DIETS = {
    "labelled": Diet(blended=0.0, swapped=0.0, wear=LIGHT),
    "blended": Diet(blended=0.25, swapped=0.25, wear=USUAL),
    "worn": Diet(blended=0.1, swapped=0.1, wear=HARD),
    "only_blended": Diet(blended=0.5, swapped=0.5, wear=USUAL),
}


@dataclass(frozen=True)
class Recipe:
    """`pictures` is how many augmented pictures the network sees in all. `sides` are the sizes in pixels that the
    backbone is shown, each with the share of the pictures it starts at; the FFT head always sees 224. A step holds
    `pairs` of a real and a fake. The backbone's last block learns at `backbone_rate` of the learning rate, each block
    before it at `layer_decay` of the next one's. The backbone's stem and its first `frozen_stages` stages learn nothing
    (0: all learns), which makes a step cheap; only timm's EfficientNets can be taken apart so."""

    diet: Diet
    pictures: int
    learning_rate: float = 3e-4
    backbone_rate: float = 1.0
    layer_decay: float = 1.0
    weight_decay: float = 0.02
    pairs: int = 16
    sides: tuple[tuple[float, int], ...] = ((0.0, 160), (0.6, 224))
    frozen_stages: int = 0

    @property
    def steps(self) -> int:
        return max(1, self.pictures // (2 * self.pairs))


@dataclass(frozen=True)
class Profile:
    """`members`: the networks in stacking order, each with its recipe. `half`: weights are rounded and stored as
    float16, for a small bundle. `refining`: the recipe, but for the diets, of `--refine`."""

    name: str
    version: str
    members: tuple[tuple[NetworkSpec, Recipe], ...]
    policy: Policy
    half: bool
    refining: Recipe | None = None

    def refined(self) -> "Profile":
        """The profile whose networks learn by `refining`, each on its own diet; ValueError where there is none."""
        if self.refining is None:
            raise ValueError(f"{self.name} has no recipe to refine by")
        members = tuple((spec, replace(self.refining, diet=recipe.diet)) for spec, recipe in self.members)
        return replace(self, members=members)


def _members(specs: tuple[NetworkSpec, ...], recipe: Recipe) -> tuple[tuple[NetworkSpec, Recipe], ...]:
    """The same recipe for each network, but for its diet."""
    diets = (DIETS["labelled"], DIETS["blended"], DIETS["worn"])
    return tuple((spec, replace(recipe, diet=diet)) for spec, diet in zip(specs, diets, strict=True))


# Small pictures first: a step at 128 pixels takes a third of the time that one at 224 does.
LITE_RECIPE = Recipe(DIETS["labelled"], 75_000, learning_rate=4e-4, sides=((0.0, 128), (0.3, 160), (0.75, 224)))
# Trained networks go on at full size. What the first stages know by then is enough: a step takes half the time, and
# 24,000 pictures took one network from .840 to .877 on dfdc's held-out groups (training/EXPERIMENTS.md).
LITE_REFINING = Recipe(DIETS["labelled"], 90_000, learning_rate=3e-4, sides=((0.0, 224),), frozen_stages=3)
# Swin's windows are bound to 224 pixels.
BASE_RECIPE = Recipe(DIETS["labelled"], 2_000_000, learning_rate=1e-4, pairs=24, sides=((0.0, 224),))
PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            "lite",
            "0.3.0",
            _members(LITE, LITE_RECIPE),
            replace(LITE_POLICY, face_margin=FACE_MARGIN),
            half=True,
            refining=LITE_REFINING,
        ),
        Profile("base", "1.0.0", _members(BASE, BASE_RECIPE), BASE_POLICY, half=False),
    )
}
