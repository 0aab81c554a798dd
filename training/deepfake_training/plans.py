"""What is trained at once when the clock decides: several networks side by side, and the same without a source each."""

from dataclasses import dataclass, replace

from deepfake_contract.description import NetworkSpec
from deepfake_networks.profiles import LITE_FFT

from deepfake_training.augment import MEDIUM, STRONG
from deepfake_training.pretrained import starting_spec
from deepfake_training.recipes import MIXTURES, Mixture, Recipe

# H.264 takes an encoder for each picture; where it is wanted, pictures are compressed when they are packed.
MEDIUM_STILLS, STRONG_STILLS = (replace(each, video=0.0) for each in (MEDIUM, STRONG))
SMALL_FIRST = ((0.0, 160), (0.4, 224))


@dataclass(frozen=True)
class Run:
    """One network of a plan; with a source in `without`, one that never learns from it and is kept for its scores
    alone."""

    network: str
    without: str | None = None

    @property
    def name(self) -> str:
        return f"{self.network}-without-{self.without}" if self.without else self.network


@dataclass(frozen=True)
class Phase:
    """Runs side by side, for this share of the plan's time. `pairs`: what a step of each holds in place of the recipe's
    (None), so that many fit into a GPU's memory."""

    share: float
    runs: tuple[Run, ...]
    pairs: int | None = None


def _convolutional(mixture: Mixture) -> Recipe:
    return Recipe(mixture, 400_000, learning_rate=1e-3, pairs=128, sides=SMALL_FIRST)


# A batch of 256 keeps a large GPU busy.
NETWORKS: dict[str, tuple[NetworkSpec, Recipe]] = {
    "dinov2": (
        starting_spec("dinov2", "vit_small_patch14_dinov2"),
        Recipe(
            replace(MIXTURES["evened"], augmentation=MEDIUM_STILLS),
            pictures=400_000,
            learning_rate=5e-4,
            backbone_rate=0.1,
            layer_decay=0.75,
            weight_decay=0.05,
            pairs=128,
            sides=((0.0, 224),),
        ),
    ),
    "lite2": (
        starting_spec("lite2", "tf_efficientnet_lite2", LITE_FFT),
        _convolutional(replace(MIXTURES["evened_augmented"], augmentation=STRONG_STILLS)),
    ),
    "lite0_self_blended": (
        starting_spec("lite0_self_blended", "tf_efficientnet_lite0", LITE_FFT),
        _convolutional(replace(MIXTURES["raw_blended"], augmentation=MEDIUM_STILLS)),
    ),
}


def plan_for(sources: list[str]) -> tuple[Phase, ...]:
    """All networks, and then the two that learn from labelled fakes once more without each source.

    `sources`: those with both classes. The network that learns from raw material alone needs no such run: it has left
    every source out already.
    """
    apart = tuple(Run(network, source) for source in sources for network in ("dinov2", "lite2"))
    return Phase(0.55, tuple(Run(network) for network in NETWORKS)), Phase(0.45, apart, pairs=32)


def with_pairs(recipe: Recipe, pairs: int | None) -> Recipe:
    """The recipe with so many pairs per step (None: its own), its rate changed by the root of how much smaller a step
    is, as fits Adam (Malladi et al. 2022)."""
    if pairs is None:
        return recipe
    return replace(recipe, pairs=pairs, learning_rate=recipe.learning_rate * (pairs / recipe.pairs) ** 0.5)
