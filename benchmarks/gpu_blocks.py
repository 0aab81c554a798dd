"""What is measured, in order of importance: base in float32, tf32 and float16, lite, whole files, other settings."""

import importlib.util
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import gpu_variants
import numpy as np
from bare_host import BareHost
from deepfake_export.gpu import FLOAT16, FLOAT32, TF32
from deepfake_export.tensors import PROBABILITY
from deepfake_serving.environment import Environment, find_environment
from deepfake_serving.server import TritonServer
from gpu_clip import file_to_verdict, make_clip
from gpu_findings import Findings, Parity
from gpu_parity import PROBABILITY_LIMIT, parity_of
from gpu_prepare import BATCH, Subject, export_to, make_base_bundle, prepare
from gpu_ramp import check_ramp
from gpu_rates import IN_PARALLEL, IN_TURN, Setting, Way, by_importance, measure
from gpu_table import GOAL_BATCH, RECIPE, SERVED
from gpu_ways import Bare, OneByOne, Served
from recipe import Recipe
from served import ServedEnsemble, read_wiring

START_DEADLINE_S = 120.0
BASE_NEEDS_S = {"cuda": 90.0, "cpu": 240.0}  # its weights, its export and the CPU's answers
LEAST_S = 15.0  # in which a block of rates says anything
SHARES = {("base", FLOAT32): 0.35, ("base", TF32): 0.3, ("base", FLOAT16): 0.35, ("lite", FLOAT32): 0.4}
REST = 0.6  # of the time left, for what is not named above
CLIP_ROUNDS = 3
SWEEP = {
    "two instances of a network": gpu_variants.two_instances,
    "no queue delay": gpu_variants.no_delay,
    "exhaustive convolution search": gpu_variants.exhaustive,
    "channels last": gpu_variants.channels_last,
}
SWEPT = ((GOAL_BATCH, 8), (8, 16))  # batch, callers


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


def run(findings: Findings, plan: Plan) -> None:
    """Runs every part there is time for."""
    with findings.part("Triton's programs"):
        find_environment(plan.serving)
    # Bare sessions need the environment's Python and ONNX Runtime alone.
    environment = Environment(plan.serving, plan.serving, "", "")
    if not findings.failed("Triton's programs"):
        environment = find_environment(plan.serving)
        with findings.part("a ramp through the server"):
            check_ramp(plan.work / "ramp", environment)
    bench = Bench(findings, plan, environment, served=not any("failed" in each for each in findings.parts))
    if "base" in plan.profiles:
        bench.base()
    if "lite" in plan.profiles:
        bench.lite()
    bench.whole_files()
    bench.sweep()


class Bench:
    """The parts of a run; `served` false where Triton can't be used, so that only the rest is measured."""

    def __init__(self, findings: Findings, plan: Plan, environment: Environment, served: bool):
        self.findings = findings
        self.plan = plan
        self.environment = environment
        self.served = served
        self.recipe: Recipe | None = None
        self.subjects: dict[str, Subject] = {}

    def base(self) -> None:
        """The original's networks, with random weights from a seed: the recipe, and the three precisions."""
        plan, findings, bundle = self.plan, self.findings, self.plan.work / "base"
        if plan.left_s < BASE_NEEDS_S[plan.device]:
            findings.drop("base", f"it needs {BASE_NEEDS_S[plan.device]:.0f} s before anything is measured")
            return
        with findings.part("base: weights from a seed"):
            make_base_bundle(bundle)
        if not self._prepare("base", bundle):
            return
        subject = self.subjects["base"]
        with findings.part("base: the recipe"):
            self.recipe = Recipe(bundle, plan.device)
            self._compare_recipe(subject)
        self._block(subject, FLOAT32, subject.repository)
        self._kind_gpu(subject)
        if plan.device == "cuda":
            tf32 = gpu_variants.variant(subject.repository, plan.work / "base_tf32", gpu_variants.with_tf32)
            self._block(subject, TF32, tf32)
        else:
            findings.drop("base, tf32", "only a GPU has it")
        if not self._time_for("base, float16", subject.export_s + LEAST_S):
            return
        with findings.part("base: export in float16"):
            export_to(bundle, plan.work / "base_float16", FLOAT16)
        if not findings.failed("base: export in float16"):
            self._block(subject, FLOAT16, plan.work / "base_float16")

    def lite(self) -> None:
        """The other bundle, in float32."""
        if not self._time_for("lite", 2 * LEAST_S):
            return
        if self._prepare("lite", self.plan.lite):
            self._block(self.subjects["lite"], FLOAT32, self.subjects["lite"].repository)

    def whole_files(self) -> None:
        """A clip, from the file to the verdict, by both ways."""
        missing = [name for name in ("av",) if importlib.util.find_spec(name) is None]
        if missing:
            self.findings.drop("file to verdict", f"the media libraries are not all here: no {', '.join(missing)}")
        elif self.recipe is None or not self.served:
            self.findings.drop("file to verdict", "it takes base and Triton, and one of them is missing")
        elif self._time_for("file to verdict", CLIP_ROUNDS * 2 * self._clip_s() + LEAST_S):
            repository = self.subjects["base"].repository
            with self.findings.part("file to verdict"), self._server(repository) as server:
                clip = make_clip(self.plan.work / "clip.mp4")
                self.findings.clips.append(file_to_verdict(clip, server.grpc, self.recipe, CLIP_ROUNDS))

    def sweep(self) -> None:
        """Other settings of the export, each beside the usual ones, both having their turn in every round."""
        subject = self.subjects.get("base") or self.subjects.get("lite")
        if subject is None or not self.served:
            self.findings.drop("other settings", "it takes a repository and Triton, and one of them is missing")
            return
        for number, (title, change) in enumerate(SWEEP.items()):
            if not self._time_for(f"other settings: {title}", 2 * LEAST_S):
                continue
            with self.findings.part(f"other settings: {title}"), ExitStack() as stack:
                changed = gpu_variants.variant(subject.repository, self.plan.work / f"sweep_{number}", change)
                ways: dict[str, Way] = {}
                for way, repository in ((f"usual, beside {title}", subject.repository), (title, changed)):
                    ways[f"served: {way}"] = self._served(stack.enter_context(self._server(repository)), repository)
                settings = [Setting(way, *load) for load in SWEPT for way in ways]
                share = REST / (len(SWEEP) - number)
                measure(subject.profile, FLOAT32, ways, settings, self.plan.left_s * share, self.findings)

    def _prepare(self, profile: str, bundle: Path) -> bool:
        with self.findings.part(f"{profile}: export and the CPU's answers"):
            self.subjects[profile] = prepare(profile, bundle, self.plan.work, self.environment)
        return profile in self.subjects

    def _block(self, subject: Subject, precision: str, repository: Path) -> None:
        """Parity and rates of one repository, by every way that works."""
        name = f"{subject.profile}, {precision}"
        if not self._time_for(name, LEAST_S):
            return
        with ExitStack() as stack:
            ways: dict[str, Way] = {}
            with self.findings.part(f"{name}: bare sessions"):
                host = stack.enter_context(BareHost(self.environment, self.plan.gpu))
                self._note(subject, precision, "bare", host.open(name, repository))
                self._compare(subject, precision, "bare", host.answer(name, subject.crops, BATCH))
                ways |= {IN_TURN: Bare(host, name, False), IN_PARALLEL: Bare(host, name, True)}
            if self.served:
                with self.findings.part(f"{name}: served, KIND_AUTO"):
                    server = stack.enter_context(self._server(repository))
                    self._note(subject, precision, "served, KIND_AUTO", server.sessions())
                    served = self._served(server, repository)
                    self._compare(subject, precision, "served, KIND_AUTO", self._answers(served, subject))
                    ways[SERVED] = served
            if self.recipe is not None and subject.profile == "base":
                ways[RECIPE] = OneByOne(self.recipe)
            with self.findings.part(f"{name}: rates"):
                allotted_s = self.plan.left_s * SHARES.get((subject.profile, precision), REST)
                measure(subject.profile, precision, ways, by_importance(list(ways)), allotted_s, self.findings)

    def _kind_gpu(self, subject: Subject) -> None:
        what = f"{subject.profile}, {FLOAT32}: served, KIND_GPU"
        if self.plan.device != "cuda" or not self.served:
            self.findings.drop(what, "it takes a GPU and Triton, and one of them is missing")
            return
        with self.findings.part(what):
            repository = gpu_variants.variant(
                subject.repository, self.plan.work / f"{subject.profile}_kind_gpu", gpu_variants.on_gpu
            )
            with self._server(repository) as server:
                self._note(subject, FLOAT32, "served, KIND_GPU", server.sessions())
                answers = self._answers(self._served(server, repository), subject)
                self._compare(subject, FLOAT32, "served, KIND_GPU", answers)

    def _server(self, repository: Path) -> TritonServer:
        """On a GPU, its start fails where a session reports anything but a GPU's provider."""
        device = "gpu" if self.plan.device == "cuda" else "cpu"
        folder = self.environment.folder
        return TritonServer(repository, environment=folder, device=device, start_deadline_s=START_DEADLINE_S)

    def _served(self, server: TritonServer, repository: Path) -> Served:
        return Served(ServedEnsemble(server.grpc, list(read_wiring(repository).outputs)))

    def _answers(self, served: Served, subject: Subject) -> dict[str, np.ndarray]:
        starts = range(0, len(subject.crops), BATCH)
        parts = [served.ensemble.tensors(subject.crops[start : start + BATCH]) for start in starts]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _compare(self, subject: Subject, precision: str, way: str, answers: dict[str, np.ndarray]) -> None:
        row = parity_of(subject.profile, precision, way, answers, subject.reference, subject.decided)
        self.findings.parity.append(row)

    def _compare_recipe(self, subject: Subject) -> None:
        """Whether it is the same system that is timed; it makes no maps."""
        assert self.recipe is not None
        answers = np.array(self.recipe.crops(subject.crops))
        difference = float(np.abs(answers - subject.reference[PROBABILITY.name][:, 0]).max())
        none = float("nan")
        held = difference <= PROBABILITY_LIMIT
        row = Parity(subject.profile, "as PyTorch comes", RECIPE, len(answers), 0, difference, none, none, held)
        self.findings.parity.append(row)

    def _note(self, subject: Subject, precision: str, way: str, providers: Mapping[str, str]) -> None:
        entry = {"profile": subject.profile, "precision": precision, "way": way, "providers": dict(providers)}
        self.findings.sessions.append(entry)

    def _time_for(self, what: str, seconds: float) -> bool:
        if self.plan.left_s >= seconds:
            return True
        self.findings.drop(what, f"{self.plan.left_s:.0f} s were left, it takes {seconds:.0f} s or more")
        return False

    def _clip_s(self) -> float:
        """About how long the recipe takes for a clip's 32 frames."""
        rates = [each.median for each in self.findings.rates if each.way == RECIPE]
        return 32 / rates[0] if rates else 60.0
