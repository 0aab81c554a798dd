"""An environment that can't serve is told apart before anything starts, with the cure."""

import shutil

import pytest
from deepfake_contract.errors import ServingError
from deepfake_serving.environment import VARIABLE, find_environment

GOOD = {"nvidia-pytriton": "0.7.0", "numpy": "1.26.4", "onnxruntime": "1.32.0"}


@pytest.fixture
def environment(tmp_path):
    """Makes a folder that looks like an environment with these packages; the server's programs are the real ones."""
    real = find_environment()

    def make(**changes: str | None):
        packages = tmp_path / "lib" / f"python{real.python_version}" / "site-packages"
        versions = GOOD | {name.replace("_", "-"): version for name, version in changes.items()}
        for name, version in versions.items():
            if version is not None:
                folder = packages / f"{name.replace('-', '_')}-{version}.dist-info"
                folder.mkdir(parents=True)
                (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "python3").symlink_to("/usr/bin/python3")
        (packages / "pytriton").mkdir()
        (packages / "pytriton" / "tritonserver").symlink_to(real.triton)
        return tmp_path

    return make


def test_the_real_environment_is_found():
    assert find_environment().tritonserver.exists()


def test_an_environment_with_what_it_takes_passes(environment):
    assert find_environment(environment()).python_version


def test_the_variable_names_the_environment(environment, monkeypatch):
    folder = environment()
    monkeypatch.setenv(VARIABLE, str(folder))
    assert find_environment().folder == folder


def test_a_missing_environment_is_told_with_the_cure(tmp_path):
    with pytest.raises(ServingError, match=f"scripts/serve once, or set {VARIABLE}"):
        find_environment(tmp_path)


def test_numpy_2_is_refused(environment):
    with pytest.raises(ServingError, match=r"numpy 2\.4\.0; model processes need 1\.26"):
        find_environment(environment(numpy="2.4.0"))


def test_an_environment_without_numpy_is_refused(environment):
    with pytest.raises(ServingError, match="has no numpy"):
        find_environment(environment(numpy=None))


def test_an_environment_without_the_server_is_refused(environment):
    with pytest.raises(ServingError, match="lacks tritonserver"):
        find_environment(environment(nvidia_pytriton=None))


def test_both_runtimes_in_one_environment_are_refused(environment):
    with pytest.raises(ServingError, match="must hold one of onnxruntime and onnxruntime-gpu, but holds both"):
        find_environment(environment(onnxruntime_gpu="1.31.1"))


def test_no_runtime_is_refused(environment):
    with pytest.raises(ServingError, match="but holds neither"):
        find_environment(environment(onnxruntime=None))


def test_a_library_that_the_system_lacks_is_named(environment):
    folder = environment()
    link = next(folder.glob("lib/*/site-packages/pytriton/tritonserver"))
    real = link.resolve()
    link.unlink()
    shutil.copytree(real, link)  # away from the libraries that its wheel bundles
    with pytest.raises(ServingError, match=r"The system lacks libcudart.*, which tritonserver needs"):
        find_environment(folder)
