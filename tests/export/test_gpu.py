"""What `deepfake export --gpu` writes: the CUDA options, TensorRT's, and networks in float16 with their difference."""

import copy
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from deepfake_contract.errors import ExportError
from deepfake_export.command import main
from deepfake_export.configuration import CPU, GPU, ServingOptions
from deepfake_export.exporting import export
from deepfake_export.gpu import GpuOptions
from deepfake_export.half import fold_norms, in_half
from deepfake_export.parity import Parity
from deepfake_export.repository import write_repository
from deepfake_export.sessions import read_configuration
from deepfake_serving.launch import BACKEND
from google.protobuf import json_format
from onnx import TensorProto

sys.path.insert(0, str(BACKEND))
from options import CUDA, TENSORRT, read_options

STEPS = ("fft_branch", "efficientnet", "convnext", "swin", "meta_model", "face_detector")
NETWORKS = ("efficientnet", "convnext", "swin")


def providers(repository: Path, model: str) -> list[tuple[str, dict[str, str]]]:
    """What the Python backend makes of a written configuration, for an instance on a GPU."""
    configuration = json_format.MessageToDict(read_configuration(repository, model), preserving_proto_field_name=True)
    return read_options(configuration).gpu


@pytest.fixture(scope="module")
def half(bundle_folder, tmp_path_factory) -> tuple[Path, Parity]:
    output = tmp_path_factory.mktemp("half") / "repository"
    options = ServingOptions(gpu=GpuOptions(precision="float16"))
    return output, export(bundle_folder, output, options, 4)


@pytest.mark.parametrize(("precision", "tf32"), [("float32", "0"), ("tf32", "1")])
def test_the_backend_reads_the_cuda_options_of_every_step(bundle, tmp_path, precision, tf32):
    options = ServingOptions(gpu=GpuOptions(precision=precision, convolution_search="exhaustive"))
    write_repository(bundle, tmp_path, options)
    for model in STEPS:
        assert providers(tmp_path, model) == [(CUDA, {"cudnn_conv_algo_search": "EXHAUSTIVE", "use_tf32": tf32})]


def test_the_gpu_set_is_exact_until_told_otherwise(bundle, tmp_path):
    write_repository(bundle, tmp_path, GPU)
    assert providers(tmp_path, "swin") == [(CUDA, {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"})]


def test_the_cpu_set_leaves_a_gpu_to_onnx_runtimes_defaults(exported_repository):
    assert CPU.gpu is None
    for model in STEPS:
        assert providers(exported_repository, model) == [(CUDA, {})]


def test_tensorrt_comes_before_cuda_for_the_networks_with_one_engine_for_all_batches(bundle, tmp_path):
    write_repository(bundle, tmp_path, ServingOptions(batch_size=16, gpu=GpuOptions("float16", tensorrt=True)))
    (first, options), (second, _) = providers(tmp_path, "swin")
    assert (first, second) == (TENSORRT, CUDA)
    width = next(each.dims[0] for each in read_configuration(tmp_path, "swin").input if each.name == "FFT")
    assert options == {
        "trt_fp16_enable": "1",
        "trt_profile_min_shapes": f"CROPS:1x224x224x3,FFT:1x{width}",
        "trt_profile_opt_shapes": f"CROPS:16x224x224x3,FFT:16x{width}",
        "trt_profile_max_shapes": f"CROPS:16x224x224x3,FFT:16x{width}",
    }
    for short in ("fft_branch", "meta_model", "face_detector"):
        assert [name for name, _ in providers(tmp_path, short)] == [CUDA]


def test_float16_networks_keep_the_contract_and_compute_in_float16(half, exported_repository):
    repository, _ = half
    for model in STEPS:
        graph = onnx.load(repository / model / "1" / "model.onnx").graph
        plain = onnx.load(exported_repository / model / "1" / "model.onnx").graph
        assert [*graph.input, *graph.output] == [*plain.input, *plain.output]
        casts = [node for node in graph.node if node.op_type == "Cast" and node.input[0] not in _stored(graph)]
        to_half = [node for node in casts if node.attribute[0].i == TensorProto.FLOAT16]
        assert bool(to_half) == (model in NETWORKS), model


def test_the_report_says_how_far_float16_networks_differ(half):
    _, parity = half
    rows = {(row.model, row.output): row for row in parity.rows}
    assert parity.passed
    for model in NETWORKS:
        assert rows[model, "PROBABILITY"].difference > 1e-6, "the graph is no other than the float32 one"
        evidence = rows[model, "EVIDENCE"]
        assert 0 < evidence.difference <= evidence.worst
    assert rows["fft_branch", "SWIN_FFT"].worst is None
    assert rows["meta_model", "PROBABILITY"].allowed == 1e-4, "the stacking is in float32"
    assert str(parity).count("middle crop; worst") == 4


def test_a_float16_map_far_from_the_reference_fails(bundle, half, crops, monkeypatch):
    from deepfake_export.parity import measure

    monkeypatch.setattr("deepfake_export.parity.HALF_MAP_TOLERANCE", 1e-9)
    parity = measure(bundle, half[0], crops[:2], 8, half=True)
    failed = {row.output for row in parity.rows if not row.passed}
    assert failed == {"EVIDENCE", "HEATMAP"}


def test_a_weight_that_float16_cannot_hold_is_told_in_a_sentence(bundle):
    network = copy.deepcopy(bundle.networks["convnext"])
    with torch.no_grad():
        next(network.backbone.parameters()).view(-1)[0] = 1e6
    with pytest.raises(ExportError, match=r"float16 can't hold .*--precision"):
        in_half(network)


@pytest.mark.parametrize("name", NETWORKS)
def test_folding_norms_changes_no_feature(bundle, name):
    network = copy.deepcopy(bundle.networks[name]).eval()
    pictures = torch.from_numpy(np.random.default_rng(0).random((2, 3, 224, 224), dtype=np.float32))
    with torch.no_grad():
        before = network.backbone.forward_features(pictures)
        fold_norms(network.backbone)
        after = network.backbone.forward_features(pictures)
    torch.testing.assert_close(after, before, rtol=1e-3, atol=1e-4 * float(before.abs().max()))
    kept = [each for each in network.backbone.modules() if isinstance(each, torch.nn.BatchNorm2d)]
    assert not kept, f"{len(kept)} norms were left in place"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--precision", "float16"], "say --gpu too"),
        (["--tensorrt"], "say --gpu too"),
        (["--gpu", "--tensorrt"], "TensorRT rounds"),
        (["--gpu", "--precision", "float8"], "invalid choice"),
    ],
)
def test_options_that_contradict_each_other_are_a_usage_error(tmp_path, capsys, arguments, sentence):
    with pytest.raises(SystemExit) as left:
        main([str(tmp_path), "--output", "x", *arguments])
    assert left.value.code == 2
    assert sentence in capsys.readouterr().err


def test_options_given_with_the_gpu_set_replace_its_own(monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr("deepfake_export.command.export", lambda *arguments, **_: seen.append(arguments[2]) or "")
    main([str(tmp_path), "--output", "x", "--gpu", "--precision", "tf32", "--batch-size", "16"])
    assert seen == [ServingOptions(16, 1, queue_delay_s=GPU.queue_delay_s, gpu=GpuOptions("tf32"))]


def _stored(graph: onnx.GraphProto) -> set[str]:
    return {each.name for each in graph.initializer}
