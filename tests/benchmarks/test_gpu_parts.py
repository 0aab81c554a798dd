"""The parts of the GPU's benchmark: variants of a repository, bare sessions in the Python that serves, the findings."""

import json

import gpu_variants
import numpy as np
import pytest
from bare_host import BareError, BareHost
from deepfake_export.sessions import Sessions, read_configuration
from deepfake_serving.environment import find_environment
from gpu_findings import Findings, Rate
from gpu_table import summary
from rates import random_crops

NETWORKS = ("efficientnet", "convnext", "swin")
STEPS = ("fft_branch", *NETWORKS, "meta_model", "face_detector")


def cuda(repository, model) -> dict[str, str]:
    accelerators = read_configuration(repository, model).optimization.execution_accelerators
    return dict(accelerators.gpu_execution_accelerator[0].parameters)


@pytest.mark.parametrize(
    ("change", "key", "value"),
    [
        (gpu_variants.with_tf32, "use_tf32", "1"),
        (gpu_variants.exhaustive, "cudnn_conv_algo_search", "EXHAUSTIVE"),
        (gpu_variants.channels_last, "prefer_nhwc", "1"),
    ],
)
def test_a_variant_differs_in_one_option_of_every_step(gpu_repository, tmp_path, change, key, value):
    changed = gpu_variants.variant(gpu_repository, tmp_path / "changed", change)
    for model in STEPS:
        assert cuda(changed, model) == cuda(gpu_repository, model) | {key: value} != cuda(gpu_repository, model)
        assert (changed / model / "1/model.onnx").samefile(gpu_repository / model / "1/model.onnx")


def test_a_variant_asks_for_a_gpu_by_kind(gpu_repository, tmp_path):
    changed = gpu_variants.variant(gpu_repository, tmp_path / "changed", gpu_variants.on_gpu)
    for model in STEPS:
        assert "kind: KIND_GPU" in (changed / model / "config.pbtxt").read_text()
    ensemble = "deepfake_ensemble/config.pbtxt"
    assert (changed / ensemble).read_bytes() == (gpu_repository / ensemble).read_bytes()


def test_a_variant_gives_only_the_networks_more_instances(gpu_repository, tmp_path):
    changed = gpu_variants.variant(gpu_repository, tmp_path / "changed", gpu_variants.two_instances)
    counts = {model: read_configuration(changed, model).instance_group[0].count for model in STEPS}
    assert {model for model, count in counts.items() if count == 2} == set(NETWORKS)


def test_a_cpu_is_spared_a_warm_up_with_a_gpus_batch(gpu_repository, tmp_path):
    changed = gpu_variants.variant(gpu_repository, tmp_path / "changed", gpu_variants.small_warm_up)
    for model in STEPS:
        usual, small = (
            read_configuration(each, model).model_warmup[0].batch_size for each in (gpu_repository, changed)
        )
        assert (usual, small) == ((0, 0) if model == "face_detector" else (32, 1))


@pytest.fixture(scope="module")
def host(gpu_repository):
    with BareHost(find_environment(), None) as host:
        assert set(host.open("small", gpu_repository).values()) == {"CPUExecutionProvider"}
        yield host


def test_bare_sessions_answer_as_the_exports_own_sessions_do(host, gpu_repository):
    crops = random_crops(3)
    expected = Sessions(gpu_repository).run_ensemble({"CROPS": crops})
    answers = host.answer("small", crops, 2)
    assert answers.keys() == expected.keys()
    for name in ("PROBABILITY", "HEATMAP", "SWIN_EVIDENCE"):
        np.testing.assert_allclose(answers[name], expected[name], atol=1e-4)


@pytest.mark.parametrize("parallel", [False, True])
def test_bare_sessions_are_timed(host, parallel):
    assert 0 < host.call_s("small", parallel, 1) < 60
    assert host.rate("small", parallel, 1, 2, 0.1) > 0


def test_what_the_worker_cannot_do_is_told_and_ends_nothing(host):
    with pytest.raises(BareError, match="unknown"):
        host.call_s("unknown", False, 1)
    assert host.call_s("small", False, 1) > 0


def test_sessions_on_a_gpu_that_is_not_there_are_refused(gpu_repository):
    with BareHost(find_environment(), 0) as host, pytest.raises(BareError, match="can't be honoured"):
        host.open("small", gpu_repository)


def test_a_part_that_fails_is_written_down_and_the_next_one_runs(tmp_path):
    findings = Findings(tmp_path, machine={"device": "cpu"})
    with findings.part("first"):
        raise RuntimeError("no such thing")
    with findings.part("second"):
        pass
    written = json.loads((tmp_path / "gpu.json").read_text())
    assert [each.get("failed") for each in written["parts"]] == ["RuntimeError: no such thing", None]
    assert findings.failed("first") and not findings.failed("second")
    assert "- first: RuntimeError: no such thing" in (tmp_path / "gpu.md").read_text()


def test_what_counts_is_the_best_concurrency_at_batch_32_and_the_recipe(tmp_path):
    findings = Findings(tmp_path)
    for way, batch, callers, rounds in (
        ("served", 32, 4, [80, 90, 100]),
        ("served", 32, 8, [81, 89, 99]),
        ("served", 1, 1, [10, 10, 10]),
        ("served: no queue delay", 32, 8, [500, 500, 500]),
        ("bare, networks in turn", 32, 1, [100, 100, 70]),
        ("bare, networks in turn", 8, 1, [300, 300, 300]),
        ("recipe", 1, 1, [30, 31, 29]),
    ):
        findings.rates.append(Rate("base", "float32", way, batch, callers, rounds))
    lines = summary(findings)
    assert "served 90.0 crops/s at 4 callers, 0.90 of bare" in lines[0]
    assert "3.0 times the recipe's 30.0 frames/s" in lines[1]
