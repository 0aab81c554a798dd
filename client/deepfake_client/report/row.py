"""What is told of one file: its result, or why there is none."""

from dataclasses import dataclass
from pathlib import Path

from deepfake_contract.errors import DeepfakeError

from deepfake_client.results import Result


@dataclass(frozen=True)
class Row:
    """`path` is what the file is called; nothing looks for it."""

    path: Path
    result: Result | None = None
    error: DeepfakeError | None = None
