"""What a bundle consists of: its name, its networks in order, policy and stacking, from and to plain JSON types."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deepfake_contract.plain_types import from_table, to_plain
from deepfake_contract.policy import Policy
from deepfake_contract.stacking import Stacking
from deepfake_contract.tensors import (
    FACE_SIDE,
    HEATMAP,
    OTHER_MODELS,
    PROBABILITY,
    TensorSpec,
    crops_input,
    model_probabilities,
)

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
MOST_NETWORKS = 8
NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
RESERVED = (*OTHER_MODELS, "intercept", "faces")  # of which two are keys among the networks' contributions


@dataclass(frozen=True)
class Identity:
    """The name and version that every result reports."""

    name: str
    version: str


@dataclass(frozen=True)
class FFTSpec:
    """The FFT head's shape: `size`, the side of the spectrum that it sees, in cells; the widths of its two
    convolutions; how many features it gives."""

    size: int = 224
    channels: tuple[int, int] = (16, 32)
    features: int = 128

    def __post_init__(self) -> None:
        if min(self.size, *self.channels, self.features) < 1:
            raise ValueError("needs a size, channels and features of at least 1")


@dataclass(frozen=True)
class NetworkSpec:
    """What one network is made of.

    `name`: the network's key in results and the name of its Triton model; `title`: for people. `architecture` and
    `arguments`: what timm.create_model is given. `weights`: a file in the bundle's folder; one that ends with
    .safetensors may lie elsewhere, by a path relative to the folder. mean and std (of RGB in 0 to 1) normalise the
    backbone's input, while the spectrum always uses ImageNet's. Without `fft` the network sees the picture alone; with
    `face_side` it is also told how large the face was in the source. ValueError names a value out of range.
    """

    name: str
    architecture: str
    weights: str
    title: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    fft: FFTSpec | None = None
    face_side: bool = False

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name) or self.name in RESERVED:
            raise ValueError(
                f"name must be a lower-case letter, then letters, digits and _ (at most 32), and none of "
                f"{', '.join(RESERVED)}, but is {self.name!r}"
            )
        if min(self.std) <= 0:
            raise ValueError(f"std must be above 0, but is {list(self.std)}")

    @property
    def display_title(self) -> str:
        """The title, or the architecture where there is none."""
        return self.title or self.architecture

    @property
    def fft_width(self) -> int:
        """How many features the spectrum gives, 0 without one."""
        return 0 if self.fft is None else self.fft.features


@dataclass(frozen=True)
class BundleDescription:
    """`digest` is "sha256:…" over the bundle's files. ValueError names what does not fit together."""

    identity: Identity
    digest: str
    networks: tuple[NetworkSpec, ...]
    policy: Policy
    stacking: Stacking

    def __post_init__(self) -> None:
        names = self.names
        if not 1 <= len(names) <= MOST_NETWORKS or len(set(names)) < len(names):
            raise ValueError(f"networks must be 1 to {MOST_NETWORKS} with different names, but are {list(names)}")
        if len(self.stacking.mean) != len(names):
            raise ValueError(f"stacking has {len(self.stacking.mean)} numbers for {len(names)} networks")
        for network in self.networks:
            if network.fft and self.policy.crop_side % network.fft.size:
                raise ValueError(
                    f"network {network.name}: the fft's size must divide the crop's side of {self.policy.crop_side} "
                    f"pixels, but is {network.fft.size}"
                )

    @property
    def names(self) -> tuple[str, ...]:
        """The networks' names, in stacking order."""
        return tuple(network.name for network in self.networks)

    @property
    def wants_face_side(self) -> bool:
        """Whether any network is told the face's side."""
        return any(network.face_side for network in self.networks)

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """Input tensors of the ensemble."""
        crops = crops_input(self.policy.crop_side)
        return (crops, FACE_SIDE) if self.wants_face_side else (crops,)

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """Output tensors of the ensemble."""
        return PROBABILITY, model_probabilities(len(self.networks)), HEATMAP

    def contributions(self, probabilities: Mapping[str, float]) -> dict[str, float]:
        """What each network, by name, and the intercept add to the stacked logit; they sum to it."""
        terms = self.stacking.terms([probabilities[name] for name in self.names])
        return dict(zip(self.names, terms, strict=True)) | {"intercept": self.stacking.intercept}

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types, as from_json reads them. What the policy leaves open is left out, so that a client that
        does not know a new key reads every bundle that does not use it."""
        plain = to_plain(self)
        plain["policy"] = {key: value for key, value in plain["policy"].items() if value is not None}
        return plain

    @classmethod
    def from_json(cls, value: Any) -> "BundleDescription":
        """BundleError names the key that is missing, unknown or wrong."""
        return from_table(cls, value, "the bundle's description")
