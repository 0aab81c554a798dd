"""Who may import whom (and that nothing outside networks, export and training pulls in torch)."""

import ast
import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "deepfake_"
ALLOWED = {
    "contract": set(),
    "serving": {"contract"},
    "networks": {"contract"},
    "client": {"contract", "serving"},
    "web": {"contract", "client"},
    "export": {"contract", "networks"},
    "training": {"contract", "networks", "client"},
}
ONE_PLACE = {("client", "serving"): ["client/deepfake_client/embedded.py"]}


def imports(file: Path) -> set[str]:
    """Top-level names of every module that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


def component_files(component: str) -> list[Path]:
    files = sorted((ROOT / component).rglob("*.py"))
    assert files, f"{component}/ holds no Python"
    return files


@pytest.mark.parametrize("component", ALLOWED)
def test_a_component_imports_only_what_the_design_allows(component):
    for file in component_files(component):
        others = {name.removeprefix(PREFIX) for name in imports(file) if name.startswith(PREFIX)} - {component}
        assert others <= ALLOWED[component], f"{file.relative_to(ROOT)} imports {others - ALLOWED[component]}"


@pytest.mark.parametrize("pair", ONE_PLACE)
def test_a_component_is_imported_in_one_place_only(pair):
    importer, imported = pair
    places = [
        str(file.relative_to(ROOT)) for file in component_files(importer) if f"{PREFIX}{imported}" in imports(file)
    ]
    assert places == ONE_PLACE[pair]


@pytest.mark.parametrize("component", ["contract", "client", "web", "serving"])
def test_what_serves_never_imports_torch(component):
    for file in component_files(component):
        assert not imports(file) & {"torch", "torchvision", "timm"}, file


@pytest.mark.parametrize("component", ["contract", "client", "web"])
def test_every_module_of_the_client_environment_imports_there(component):
    """In the client's own environment, where torch is not installed."""
    modules = [
        ".".join(file.relative_to(ROOT / component).with_suffix("").parts).removesuffix(".__init__")
        for file in component_files(component)
        if file.relative_to(ROOT / component).parts[0].startswith(PREFIX)
    ]
    code = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\n"
    code += "assert 'torch' not in sys.modules"
    python = ROOT / ".environments/client/bin/python"
    done = subprocess.run([python, "-c", code, *modules], capture_output=True, text=True, cwd="/")
    assert done.returncode == 0, done.stderr


def test_the_serving_environment_has_what_the_backend_imports_and_no_torch():
    environment = Path(os.environ.get("DEEPFAKE_SERVING_ENVIRONMENT", ROOT / ".environments/serving"))
    files = list((ROOT / "serving/deepfake_serving/backends/onnxruntime").glob("*.py"))
    own = {"triton_python_backend_utils", *(file.stem for file in files)}
    outside = set().union(*map(imports, files)) - set(sys.stdlib_module_names) - own
    code = "import importlib.util, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\n"
    code += "assert importlib.util.find_spec('torch') is None"
    done = subprocess.run([environment / "bin/python", "-c", code, *outside], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_contract_needs_the_standard_library_alone():
    outside = set().union(*map(imports, component_files("contract"))) - set(sys.stdlib_module_names)
    assert outside == {"deepfake_contract"}


def test_the_backend_stands_alone():
    """It runs inside Triton's own Python, where nothing of the project is installed."""
    for file in (ROOT / "serving/deepfake_serving/backends").rglob("*.py"):
        assert not [name for name in imports(file) if name.startswith(PREFIX)], file


def test_modules_are_short():
    """One reason to exist each: none over 250 lines, and half of them at most 80."""
    files = [file for component in ALLOWED for file in component_files(component)]
    lengths = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in files}
    assert {name: length for name, length in lengths.items() if length > 250} == {}
    assert statistics.median(lengths.values()) <= 80
