"""What an exported repository is made of, and that Triton and its C++ backend can take it."""

import json

import onnx
import pytest
from deepfake_contract import tensors
from deepfake_export.configuration import GPU, ServingOptions
from deepfake_export.repository import write_repository
from deepfake_export.sessions import read_configuration
from tritonclient.grpc import model_config_pb2 as triton

STEPS = ("fft_branch", "efficientnet", "convnext", "swin", "meta_model", "face_detector")
NETWORKS = ("efficientnet", "convnext", "swin")
BATCHED = STEPS[:-1]


@pytest.fixture(scope="session")
def configurations(exported_repository):
    return {name: read_configuration(exported_repository, name) for name in (*STEPS, "deepfake_ensemble")}


def shapes(values) -> dict[str, tuple[str, list[int]]]:
    return {each.name: (triton.DataType.Name(each.data_type), list(each.dims)) for each in values}


def test_the_repository_holds_the_models_of_the_design_and_nothing_else(exported_repository):
    assert {path.name for path in exported_repository.iterdir()} == {*STEPS, "deepfake_ensemble"}


def test_the_ensemble_takes_crops_and_gives_probabilities_and_heatmap(configurations):
    ensemble = configurations["deepfake_ensemble"]
    assert shapes(ensemble.input) == {"CROPS": ("TYPE_UINT8", [224, 224, 3])}
    assert shapes(ensemble.output) == {
        "PROBABILITY": ("TYPE_FP32", [1]),
        "MODEL_PROBABILITIES": ("TYPE_FP32", [3]),
        "HEATMAP": ("TYPE_FP32", [7, 7]),
    }


def test_the_face_detector_takes_a_frame_of_any_size(configurations):
    config = configurations["face_detector"]
    assert config.max_batch_size == 0
    assert shapes(config.input) == {"FRAME": ("TYPE_UINT8", [-1, -1, 3])}
    assert shapes(config.output) == {
        "BOXES": ("TYPE_FP32", [-1, 4]),
        "SCORES": ("TYPE_FP32", [-1]),
        "LANDMARKS": ("TYPE_FP32", [-1, 5, 2]),
    }


def test_client_reads_the_bundle_that_the_ensemble_carries(configurations, bundle):
    from deepfake_client.analysis.served_bundle import parse_bundle

    ensemble = configurations["deepfake_ensemble"]
    text = ensemble.parameters[tensors.BUNDLE_PARAMETER].string_value
    assert json.loads(text) == bundle.description.to_json()
    served = parse_bundle(text, ensemble.max_batch_size)
    assert (served.model.name, served.model.digest) == ("test", bundle.description.digest)


@pytest.mark.parametrize("name", STEPS)
def test_a_graph_has_the_tensors_that_its_configuration_says(exported_repository, configurations, name):
    graph = onnx.load(exported_repository / name / "1" / "model.onnx").graph
    config = configurations[name]
    kinds = {onnx.TensorProto.UINT8: "TYPE_UINT8", onnx.TensorProto.FLOAT: "TYPE_FP32"}
    for values, specs in ((graph.input, config.input), (graph.output, config.output)):
        found = {}
        for value in values:
            dims = [each.dim_value or -1 for each in value.type.tensor_type.shape.dim]
            if config.max_batch_size:
                assert dims.pop(0) == -1, f"{value.name} has a fixed batch"
            found[value.name] = (kinds[value.type.tensor_type.elem_type], dims)
        assert found == shapes(specs)


@pytest.mark.parametrize("name", STEPS)
def test_a_graph_is_old_enough_for_the_runtimes_that_serve_it(exported_repository, name):
    model = onnx.load(exported_repository / name / "1" / "model.onnx")
    assert model.ir_version <= 8
    assert {(each.domain, each.version <= 17) for each in model.opset_import} <= {("", True), ("ai.onnx.ml", True)}


@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_bounded_by_time_only_and_warmed_up_on_any_device(configurations, name):
    config = configurations[name]
    queue = config.dynamic_batching.default_queue_policy
    assert queue.timeout_action == triton.ModelQueuePolicy.REJECT
    assert 0 < queue.default_timeout_microseconds < 120_000_000  # the client's deadline
    assert queue.max_queue_size == 0
    assert [group.kind for group in config.instance_group] == [triton.ModelInstanceGroup.KIND_AUTO]
    assert config.model_warmup[0].inputs.keys() == {each.name for each in config.input}
    assert (config.backend, config.default_model_filename) == ("onnxruntime", "model.onnx")


def test_the_ensemble_says_only_what_triton_takes_there(configurations):
    ensemble = configurations["deepfake_ensemble"]
    set_fields = {field.name for field, _ in ensemble.ListFields()}
    assert set_fields == {
        *("name", "platform", "version_policy", "max_batch_size", "input", "output"),
        *("ensemble_scheduling", "parameters"),
    }


def test_no_output_of_the_ensemble_is_an_input_of_a_step(configurations):
    ensemble = configurations["deepfake_ensemble"]
    taken = {ours for step in ensemble.ensemble_scheduling.step for ours in step.input_map.values()}
    assert not taken & {each.name for each in ensemble.output}


def test_no_large_tensor_crosses_between_models(configurations):
    for name in BATCHED:
        for each in configurations[name].output:
            assert onnx.numpy_helper.np.prod(each.dims) <= 128, (name, each.name)


def test_batches_are_as_large_as_the_clients_by_default(configurations):
    from deepfake_client.settings import ClientSettings

    for name in (*BATCHED, "deepfake_ensemble"):
        assert configurations[name].max_batch_size == ClientSettings.batch_size


def test_options_reach_the_configurations(bundle, tmp_path):
    options = ServingOptions(batch_size=5, instances=3, threads=2, queue_timeout_s=7.5, queue_delay_s=0.003)
    write_repository(bundle, tmp_path, options)
    config = read_configuration(tmp_path, "swin")
    assert (config.max_batch_size, config.instance_group[0].count) == (5, 3)
    assert config.parameters["intra_op_thread_count"].string_value == "2"
    assert config.dynamic_batching.default_queue_policy.default_timeout_microseconds == 7_500_000
    assert config.dynamic_batching.max_queue_delay_microseconds == 3000
    assert read_configuration(tmp_path, "deepfake_ensemble").max_batch_size == 5


def test_the_set_for_a_gpu_joins_requests():
    assert GPU.batch_size > ServingOptions().batch_size
    assert GPU.queue_delay_s > 0


def test_weights_kept_as_float16_stay_so_in_the_graphs(exported_repository, bundle_folder):
    for name in NETWORKS:
        file = exported_repository / name / "1" / "model.onnx"
        assert file.stat().st_size < 1.4 * (bundle_folder / f"{name}.pth").stat().st_size


def test_exporting_twice_gives_the_same_bytes(exported_repository, second):
    files = [path.relative_to(exported_repository) for path in exported_repository.rglob("*") if path.is_file()]
    assert files
    for file in files:
        assert (second.output / file).read_bytes() == (exported_repository / file).read_bytes(), file
