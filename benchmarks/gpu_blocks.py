"""What is measured, in order of importance: base in float32, tf32 and float16, lite, whole files, other settings."""

import importlib.util
from contextlib import ExitStack

import gpu_variants
from deepfake_export.gpu import FLOAT16, FLOAT32, TF32
from deepfake_serving.environment import Environment, find_environment
from gpu_bench import LEAST_S, Bench, Plan
from gpu_clip import file_to_verdict, make_clip
from gpu_findings import Findings
from gpu_prepare import export_to, make_base_bundle, prepare
from gpu_ramp import check_ramp
from gpu_rates import Setting, Way, measure
from gpu_table import GOAL_BATCH, RECIPE
from recipe import Recipe

BASE_NEEDS_S = {"cuda": 90.0, "cpu": 240.0}  # its weights, its export and the CPU's answers
SHARES = {FLOAT32: 0.3, TF32: 0.2, FLOAT16: 0.3}  # of the time left when base's rates in it begin
LITE_SHARE, SWEEP_SHARE = 0.4, 0.6
CLIP_ROUNDS = 3
SWEEP = {
    "two instances of a network": gpu_variants.two_instances,
    "no queue delay": gpu_variants.no_delay,
    "exhaustive convolution search": gpu_variants.exhaustive,
    "channels last": gpu_variants.channels_last,
}
SWEPT = {"cuda": ((GOAL_BATCH, 8), (8, 16)), "cpu": ((1, 2),)}  # batch, callers


def run(findings: Findings, plan: Plan) -> None:
    """Runs every part there is time for."""
    with findings.part("Triton's programs"):
        find_environment(plan.serving)
    # Bare sessions need the environment's Python and ONNX Runtime alone.
    environment = Environment(plan.serving, plan.serving, "")
    if not findings.failed("Triton's programs"):
        environment = find_environment(plan.serving)
        with findings.part("a ramp through the server"):
            check_ramp(plan.work / "ramp", environment)
    triton = not any("failed" in each for each in findings.parts)
    bench = Bench(findings, plan, environment, triton)
    if "base" in plan.profiles:
        base(bench)
    if "lite" in plan.profiles:
        lite(bench)
    whole_files(bench)
    sweep(bench)


def base(bench: Bench) -> None:
    """The original's networks, with random weights from a seed: the recipe, and the three precisions."""
    plan, findings, bundle = bench.plan, bench.findings, bench.plan.work / "base"
    if not bench.time_for("base", BASE_NEEDS_S[plan.device]):
        return
    with findings.part("base: weights from a seed"):
        make_base_bundle(bundle)
    with findings.part("base: export and the CPU's answers"):
        bench.subjects["base"] = prepare("base", bundle, plan.work, bench.environment, plan.device)
    if "base" not in bench.subjects:
        return
    subject = bench.subjects["base"]
    with findings.part("base: the recipe"):
        recipe = Recipe(bundle, plan.device)
        bench.compare_recipe(recipe, subject)
        bench.recipe = recipe
    bench.block(subject, FLOAT32, subject.repository, SHARES[FLOAT32])
    kind_gpu = gpu_variants.variant(subject.repository, plan.work / "base_kind_gpu", gpu_variants.on_gpu)
    bench.check_kind_gpu(subject, kind_gpu)
    if plan.device == "cuda":
        tf32 = gpu_variants.variant(subject.repository, plan.work / "base_tf32", gpu_variants.with_tf32)
        bench.block(subject, TF32, tf32, SHARES[TF32])
    else:
        findings.drop("base, tf32", "only a GPU has it")
    if not bench.time_for("base, float16", subject.export_s + bench.opening_s + LEAST_S):
        return
    half = plan.work / "base_float16"
    with findings.part("base: export in float16"):
        export_to(bundle, half, FLOAT16, plan.device)
    if not findings.failed("base: export in float16"):
        bench.block(subject, FLOAT16, half, SHARES[FLOAT16])


def lite(bench: Bench) -> None:
    """The other bundle, in float32."""
    if not bench.time_for("lite", 2 * LEAST_S):
        return
    with bench.findings.part("lite: export and the CPU's answers"):
        plan = bench.plan
        bench.subjects["lite"] = prepare("lite", plan.lite, plan.work, bench.environment, plan.device)
    if "lite" in bench.subjects:
        bench.block(bench.subjects["lite"], FLOAT32, bench.subjects["lite"].repository, LITE_SHARE)


def whole_files(bench: Bench) -> None:
    """A clip, from the file to the verdict, served and by the recipe."""
    if importlib.util.find_spec("av") is None:
        bench.findings.drop("file to verdict", "the media libraries are not all here: no av")
        return
    if bench.recipe is None or not bench.triton:
        bench.findings.drop("file to verdict", "it takes base and Triton, and one of them is missing")
        return
    rates = [each.median for each in bench.findings.rates if each.way == RECIPE]
    clip_s = 32 / rates[0] if rates else 60.0  # about what the recipe takes for a clip's 32 frames
    if bench.time_for("file to verdict", (CLIP_ROUNDS + 1) * 2 * clip_s + LEAST_S):
        with bench.findings.part("file to verdict"), bench.server(bench.subjects["base"].repository) as server:
            clip = make_clip(bench.plan.work / "clip.mp4")
            bench.findings.clips.append(file_to_verdict(clip, server.grpc, bench.recipe, CLIP_ROUNDS))


def sweep(bench: Bench) -> None:
    """Other settings of the export, each beside the usual ones, both having their turn in every round."""
    subject = bench.subjects.get("base") or bench.subjects.get("lite")
    if subject is None or not bench.triton:
        bench.findings.drop("other settings", "it takes a repository and Triton, and one of them is missing")
        return
    for number, (title, change) in enumerate(SWEEP.items()):
        if not bench.time_for(f"other settings: {title}", 2 * bench.opening_s + LEAST_S):
            continue
        with bench.findings.part(f"other settings: {title}"), ExitStack() as stack:
            changed = gpu_variants.variant(subject.repository, bench.plan.work / f"sweep_{number}", change)
            ways: dict[str, Way] = {}
            for way, repository in ((f"usual, beside {title}", subject.repository), (title, changed)):
                ways[f"served: {way}"] = bench.served(stack.enter_context(bench.server(repository)))
            settings = [Setting(way, *load) for load in SWEPT[bench.plan.device] for way in ways]
            allotted_s = bench.plan.left_s * SWEEP_SHARE / (len(SWEEP) - number)
            measure(subject.profile, FLOAT32, ways, settings, allotted_s, bench.findings)
