"""The whole command on a small bundle, by the CPU, with a real Triton; and without one that can be used."""

import json
import shutil
from pathlib import Path

import gpu
import gpu_bench
import gpu_blocks
import gpu_prepare
import gpu_rates
import gpu_variants
import pytest
from deepfake_contract.errors import ServingError


@pytest.fixture(autouse=True)
def short(monkeypatch, gpu_repository):
    """Little is measured, but all of it, on a repository that is exported once."""
    monkeypatch.setattr(
        gpu_prepare, "export_to", lambda bundle, folder, *_: Path(shutil.copytree(gpu_repository, folder))
    )
    monkeypatch.setattr(gpu_rates, "SECONDS", 0.1)
    monkeypatch.setattr(gpu_rates, "BATCHES", (32, 1))
    monkeypatch.setattr(gpu_rates, "CONCURRENCIES", (1,))
    monkeypatch.setattr(gpu_rates, "ROUNDS", 1)
    monkeypatch.setattr(gpu_prepare, "CROPS", {"cpu": 2})
    monkeypatch.setattr(gpu_bench, "LEAST_S", 1.0)
    monkeypatch.setattr(gpu_blocks, "LEAST_S", 1.0)
    monkeypatch.setattr(gpu_blocks, "SWEEP", {"no queue delay": gpu_variants.no_delay})


def run(bundle, output) -> tuple[int, dict, str]:
    arguments = ["--output", str(output), "--profiles", "lite", "--bundle", str(bundle), "--minutes", "8"]
    code = gpu.main([*arguments, "--device", "cpu"])
    return code, json.loads((output / "gpu.json").read_text()), (output / "gpu.md").read_text()


def test_a_run_on_the_cpu_ends_with_parity_and_rates(small_bundle, tmp_path):
    code, found, table = run(small_bundle, tmp_path / "findings")
    assert code == 0, [each for each in found["parts"] if "failed" in each]
    parity = {each["way"]: each for each in found["parity"]}
    assert parity.keys() == {"bare", "served, KIND_AUTO"}
    for each in parity.values():
        assert each["held"] and each["decided"] > each["crops"] / 2
    assert {provider for each in found["sessions"] for provider in each["providers"].values()} == {
        "CPUExecutionProvider"
    }
    measured = {(each["way"], each["batch"]) for each in found["rates"] if each["median"] > 0}
    ways = {"served", "bare, networks in turn", "bare, networks in parallel"}
    assert measured >= {(way, batch) for way in ways for batch in (32, 1)}
    assert ("served: no queue delay", 1) in measured
    assert "# Served on a CPU (no GPU was used)" in table
    assert "lite, float32, batch 32: served" in table
    assert {each["what"] for each in found["dropped"]} == {"file to verdict"}


def test_without_a_usable_triton_bare_sessions_are_still_measured(small_bundle, tmp_path, monkeypatch):
    def unusable(folder):
        raise ServingError("The system lacks libpython3.12.so.1.0, which triton_python_backend_stub needs.")

    monkeypatch.setattr(gpu_blocks, "find_environment", unusable)
    monkeypatch.setattr(gpu_rates, "BATCHES", (1,))
    code, found, table = run(small_bundle, tmp_path / "findings")
    assert code == 1
    assert [each["name"] for each in found["parts"] if "failed" in each] == ["Triton's programs"]
    assert {each["way"] for each in found["rates"]} == {"bare, networks in turn", "bare, networks in parallel"}
    assert [each["way"] for each in found["parity"] if each["held"]] == ["bare"]
    assert "libpython3.12.so.1.0" in table


def test_too_little_time_is_said_and_not_overrun(small_bundle, tmp_path):
    gpu.main(["--output", str(tmp_path), "--bundle", str(small_bundle), "--minutes", "0.01", "--device", "cpu"])
    dropped = {each["what"]: each["why"] for each in json.loads((tmp_path / "gpu.json").read_text())["dropped"]}
    assert {"base", "lite", "file to verdict"} <= dropped.keys()
