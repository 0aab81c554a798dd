"""The comparison covers every model, passes for a good export, and fails for each kind of bad one."""

import numpy as np
import onnx
import pytest
from deepfake_contract.errors import ExportError
from deepfake_export.configuration import ServingOptions
from deepfake_export.exporting import export
from deepfake_export.parity import Row, measure
from deepfake_export.sessions import read_configuration
from google.protobuf import text_format
from onnx import numpy_helper


def test_every_output_of_every_model_is_compared(exported):
    repository, parity = exported
    models = {path.name for path in repository.iterdir()}
    assert {row.model for row in parity.rows} == models
    for model in models - {"deepfake_ensemble"}:
        outputs = {each.name for each in onnx.load(repository / model / "1" / "model.onnx").graph.output}
        assert {row.output for row in parity.rows if row.model == model} == outputs


def test_a_good_export_is_within_the_tolerances(exported):
    _, parity = exported
    assert parity.passed
    probabilities = [row for row in parity.rows if row.output.endswith("PROBABILITY")]
    assert {row.allowed for row in probabilities} == {1e-4}
    assert all(row.allowed > 0 for row in parity.rows), "a reference that is all zero compares nothing"


def test_the_report_is_a_table_with_a_line_an_output(exported):
    _, parity = exported
    lines = str(parity).splitlines()
    assert lines[0] == "Parity over 8 crops"
    assert len(lines) == 2 + len(parity.rows)


def test_the_networks_tell_the_crops_apart(exported_repository, crops):
    """Else parity would prove little: constant answers are equal to anything constant."""
    from deepfake_export.sessions import Sessions

    answers = Sessions(exported_repository).run_ensemble({"CROPS": crops})["MODEL_PROBABILITIES"]
    assert (np.ptp(answers, axis=0) > 0.01).all()


def test_not_a_number_never_passes():
    assert not Row("swin", "PROBABILITY", float("nan"), 1e-4).passed


@pytest.mark.parametrize(
    ("model", "nudged", "output"),
    [
        ("efficientnet", "network.classifier.4.bias", "PROBABILITY"),
        ("convnext", "network.classifier.1.bias", "EVIDENCE"),
        ("fft_branch", "heads.2.net.0.bias", "SWIN_FFT"),
        ("meta_model", "weight_1", "HEATMAP"),
    ],
)
def test_a_changed_number_in_a_graph_fails_the_comparison(bundle, changed, crops, model, nudged, output):
    path = changed / model / "1" / "model.onnx"
    graph = onnx.load(path)
    initialiser = next(each for each in graph.graph.initializer if each.name == nudged)
    value = numpy_helper.to_array(initialiser).copy()
    value.flat[0] += 0.5
    initialiser.CopyFrom(numpy_helper.from_array(value, nudged))
    onnx.save(graph, path)
    parity = measure(bundle, changed, crops[:2], 8)
    assert not parity.passed
    assert any(not row.passed for row in parity.rows if (row.model, row.output) == (model, output))
    assert "TOO LARGE" in str(parity)


def test_swapped_wiring_fails_the_comparison(bundle, changed, crops):
    config = read_configuration(changed, "deepfake_ensemble")
    wired = config.ensemble_scheduling.step[-1].input_map
    wired["SWIN_PROBABILITY"], wired["CONVNEXT_PROBABILITY"] = "CONVNEXT_PROBABILITY", "SWIN_PROBABILITY"
    (changed / "deepfake_ensemble" / "config.pbtxt").write_text(text_format.MessageToString(config))
    failed = {(row.model, row.output) for row in measure(bundle, changed, crops[:2], 8).rows if not row.passed}
    assert ("deepfake_ensemble", "MODEL_PROBABILITIES") in failed


def test_an_export_that_differs_fails_and_leaves_nothing(bundle_folder, tmp_path, ready_written, monkeypatch):
    monkeypatch.setattr("deepfake_export.parity.PROBABILITY_TOLERANCE", -1.0)
    with pytest.raises(ExportError, match="TOO LARGE") as failed:
        export(bundle_folder, tmp_path / "repository", ServingOptions(), 1)
    assert "differ too much" in str(failed.value)
    assert list(tmp_path.iterdir()) == []
