"""The kinds of fakes, and which kind a file is of."""

from collections.abc import Sequence

import numpy as np
from deepfake_contract.errors import UsageError

from deepfake_training.data import Sample

SWAP, REENACTMENT, SYNTHESIS, EDITING = KINDS = (
    "face swapping",
    "face reenactment",
    "entire face synthesis",
    "face editing",
)  # of DF40 (Yan et al. 2024)
KIND_OF_SOURCE = {
    "dfdc": SWAP,
    "inswapper": SWAP,
    "dftimit": SWAP,
    "openforensics": SWAP,  # a generated face is put into a photograph
    "stylegan140k": SYNTHESIS,
    "portraits": SYNTHESIS,
}


def kind_of(fake: Sample) -> str:
    """The kind that its manifest names, else that of its source, "" where neither is known; UsageError where the
    manifest names none of KINDS."""
    if fake.kind and fake.kind not in KINDS:
        raise UsageError(
            f"The manifest gives {fake.name} the kind {fake.kind!r}; it must be {', '.join(KINDS)}, or empty."
        )
    return fake.kind or KIND_OF_SOURCE.get(fake.source, "")


def kind_rows(samples: Sequence[Sample]) -> dict[str, np.ndarray]:
    """Rows, bool [N], of each of KINDS: its fakes, and all reals of the sources that they come from."""
    source = np.array([sample.source for sample in samples])
    fake = np.array([sample.fake for sample in samples], dtype=bool)
    kind = np.array([kind_of(sample) if sample.fake else "" for sample in samples])
    return {name: (kind == name) | (~fake & np.isin(source, source[kind == name])) for name in KINDS}
