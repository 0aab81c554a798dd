"""What a run has found so far, kept as JSON and as Markdown after each finding: a run cut short loses nothing."""

import json
import statistics
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gpu_table import markdown


@dataclass
class Parity:
    """How far one way of answering is from the CPU's answers. Maps: as a part of the largest, over the decided crops:
    the worst crop's and the middle crop's."""

    profile: str
    precision: str
    way: str
    crops: int
    decided: int
    probability: float
    map_worst: float
    map_middle: float
    held: bool


@dataclass
class Rate:
    """Crops a second of one setting, a figure a round."""

    profile: str
    precision: str
    way: str
    batch: int
    callers: int
    rounds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)


@dataclass
class Findings:
    """`machine`: facts; `parts`: seconds of each and why it failed; `dropped`: what there was no time or means for."""

    folder: Path
    machine: dict[str, Any] = field(default_factory=dict)
    parts: list[dict[str, Any]] = field(default_factory=list)
    sessions: list[dict[str, Any]] = field(default_factory=list)
    parity: list[Parity] = field(default_factory=list)
    rates: list[Rate] = field(default_factory=list)
    clips: list[dict[str, Any]] = field(default_factory=list)
    dropped: list[dict[str, str]] = field(default_factory=list)

    def write(self) -> None:
        """Writes gpu.json and gpu.md into the folder, each whole or not at all."""
        content = asdict(self) | {"rates": [asdict(each) | {"median": each.median} for each in self.rates]}
        del content["folder"]
        for name, text in (("gpu.json", json.dumps(content, indent=1, default=str)), ("gpu.md", markdown(self))):
            new = self.folder / f".{name}"
            new.write_text(text + "\n", encoding="utf-8")
            new.replace(self.folder / name)

    def drop(self, what: str, why: str) -> None:
        """Says that something was left out."""
        print(f"left out: {what}: {why}", flush=True)
        self.dropped.append({"what": what, "why": why})
        self.write()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Times a part; one that fails is a finding, and the run goes on."""
        print(f"-- {name}", flush=True)
        start = time.monotonic()
        entry: dict[str, Any] = {"name": name}
        self.parts.append(entry)
        try:
            yield
        except Exception as cause:
            traceback.print_exc()
            entry["failed"] = f"{type(cause).__name__}: {cause}"
        entry["seconds"] = round(time.monotonic() - start, 1)
        print(f"-- {name}: {entry['seconds']} s{' FAILED' if 'failed' in entry else ''}", flush=True)
        self.write()

    def failed(self, name: str) -> bool:
        """Whether a part of this name failed."""
        return any(each["name"] == name and "failed" in each for each in self.parts)
