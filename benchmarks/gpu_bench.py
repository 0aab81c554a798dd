"""What every part of a run has at hand: the time left, the environments, and one repository's parity and rates."""

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from bare import Tensors
from bare_host import BareHost
from deepfake_contract.tensors import PROBABILITY
from deepfake_export.gpu import FLOAT32
from deepfake_serving.environment import Environment
from deepfake_serving.server import TritonServer
from gpu_findings import Findings, Parity
from gpu_parity import parity_of
from gpu_prepare import BATCH, Subject
from gpu_rates import IN_PARALLEL, IN_TURN, Way, by_importance, measure
from gpu_table import PROBABILITY_LIMIT, RECIPE, SERVED
from gpu_ways import Bare, OneByOne, Served
from recipe import Recipe
from served import ServedEnsemble, read_wiring

START_DEADLINE_S = 120.0
LEAST_S = 15.0  # in which rates say anything


@dataclass(frozen=True)
class Plan:
    """`device` "cuda" or "cpu"; `end` by the monotonic clock; `work` a folder for what is made; `lite` a bundle;
    `serving` the serving environment's folder."""

    device: str
    end: float
    work: Path
    profiles: list[str]
    lite: Path
    serving: Path

    @property
    def left_s(self) -> float:
        return self.end - time.monotonic()

    @property
    def gpu(self) -> int | None:
        return 0 if self.device == "cuda" else None


@dataclass
class Bench:
    """`triton` false where Triton can't be used, so that only the rest is measured."""

    findings: Findings
    plan: Plan
    environment: Environment
    triton: bool
    recipe: Recipe | None = None
    subjects: dict[str, Subject] = field(default_factory=dict)
    opening_s: float = 0.0  # what the last block took before its rates

    def block(self, subject: Subject, precision: str, repository: Path, share: float) -> None:
        """Parity and rates of one repository, by every way that works, in a share of the time left."""
        name = f"{subject.profile}, {precision}"
        if not self.time_for(name, self.opening_s + LEAST_S):
            return
        start = time.monotonic()
        with ExitStack() as stack:
            ways: dict[str, Way] = {}
            with self.findings.part(f"{name}: bare sessions"):
                host = stack.enter_context(BareHost(self.environment, self.plan.gpu))
                self._note(subject, precision, "bare", host.open(name, repository))
                self._compare(subject, precision, "bare", host.answer(name, subject.crops, BATCH))
                ways |= {IN_TURN: Bare(host, name, False), IN_PARALLEL: Bare(host, name, True)}
            if self.triton:
                with self.findings.part(f"{name}: served, KIND_AUTO"):
                    server = stack.enter_context(self.server(repository))
                    ways[SERVED] = self._checked(subject, precision, "served, KIND_AUTO", server)
            if self.recipe is not None and subject.profile == "base":
                ways[RECIPE] = OneByOne(self.recipe)
            self.opening_s = time.monotonic() - start
            with self.findings.part(f"{name}: rates"):
                settings = by_importance(list(ways))
                measure(subject.profile, precision, ways, settings, self.plan.left_s * share, self.findings)

    def check_kind_gpu(self, subject: Subject, repository: Path) -> None:
        """Providers and parity of a repository that asks for a GPU by its instances' kind."""
        what = f"{subject.profile}, {FLOAT32}: served, KIND_GPU"
        if self.plan.device != "cuda" or not self.triton:
            self.findings.drop(what, "it takes a GPU and Triton, and one of them is missing")
            return
        with self.findings.part(what), self.server(repository) as server:
            self._checked(subject, FLOAT32, "served, KIND_GPU", server)

    def compare_recipe(self, recipe: Recipe, subject: Subject) -> None:
        """Whether it is the same system that is timed; the recipe makes no maps."""
        answers = np.array(recipe.crops(subject.crops))
        difference = float(np.abs(answers - subject.reference[PROBABILITY.name][:, 0]).max())
        none = float("nan")
        held = difference <= PROBABILITY_LIMIT
        row = Parity(subject.profile, "as PyTorch comes", RECIPE, len(answers), 0, difference, none, none, held)
        self.findings.parity.append(row)

    def server(self, repository: Path) -> TritonServer:
        """On a GPU, its start fails where a session reports anything but a GPU's provider."""
        device = "gpu" if self.plan.device == "cuda" else "cpu"
        folder = self.environment.folder
        deadline_s = min(START_DEADLINE_S, max(LEAST_S, self.plan.left_s))
        return TritonServer(repository, environment=folder, device=device, start_deadline_s=deadline_s)

    def served(self, server: TritonServer) -> Served:
        """The server's ensemble as a way of answering."""
        return Served(ServedEnsemble(server.grpc, list(read_wiring(server.repository).outputs)))

    def time_for(self, what: str, seconds: float) -> bool:
        """Whether so many seconds are left; says so where not."""
        if self.plan.left_s >= seconds:
            return True
        self.findings.drop(what, f"{max(0, self.plan.left_s):.0f} s were left, it takes {seconds:.0f} s or more")
        return False

    def _checked(self, subject: Subject, precision: str, way: str, server: TritonServer) -> Served:
        self._note(subject, precision, way, server.sessions())
        served = self.served(server)
        starts = range(0, len(subject.crops), BATCH)
        parts = [served.ensemble.tensors(subject.crops[start : start + BATCH]) for start in starts]
        answers = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        self._compare(subject, precision, way, answers)
        return served

    def _compare(self, subject: Subject, precision: str, way: str, answers: Tensors) -> None:
        row = parity_of(subject.profile, precision, way, answers, subject.reference, subject.decided)
        self.findings.parity.append(row)

    def _note(self, subject: Subject, precision: str, way: str, providers: dict[str, str]) -> None:
        entry = {"profile": subject.profile, "precision": precision, "way": way, "providers": providers}
        self.findings.sessions.append(entry)
