"""How each network of the `lite` profile learns."""

from dataclasses import dataclass

# As part of the box's longer side. Measured with the face detector on the training pictures: the box fills 1.01 of a
# dfdc crop (from 0.90 at the 5th to 1.10 at the 95th percentile) but 0.5 to 0.8 of the other sources' pictures, so a
# wider margin would show context that the largest source can't teach.
FACE_MARGIN = 0.05


@dataclass(frozen=True)
class Recipe:
    """`processor_minutes` is the budget, both cores' time added. `sides` are the sizes in pixels that the backbone is
    shown, each with the share of the budget it starts at; the FFT head always sees 224. A step holds `pairs` of a real
    and a fake. With `distil` the network also learns from the first one trained."""

    processor_minutes: float
    learning_rate: float
    weight_decay: float
    pairs: int = 8
    sides: tuple[tuple[float, int], ...] = ((0.0, 160), (0.7, 224))
    distil: bool = False


LITE_RECIPES = {
    "efficientnet": Recipe(70, learning_rate=4e-4, weight_decay=0.02),  # from ImageNet weights
    "convnext": Recipe(40, learning_rate=1e-3, weight_decay=0.05, distil=True),
    # Window attention is bound to 224 pixels.
    "swin": Recipe(40, learning_rate=7e-4, weight_decay=0.05, distil=True, sides=((0.0, 224),)),
}
