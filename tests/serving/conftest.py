"""Small ONNX models in a Triton repository, and servers on them."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

ROOT = Path(__file__).parents[2]
TYPES = {"FP32": TensorProto.FLOAT, "UINT8": TensorProto.UINT8, "INT64": TensorProto.INT64}


class Repository:
    """A model repository that is written in code."""

    def __init__(self, folder: Path):
        self.folder = folder

    def add(
        self,
        name: str,
        nodes: list | None = None,
        *,
        inputs: tuple[str, ...] = ("X",),
        outputs: tuple[str, ...] = ("Y",),
        type: str = "FP32",
        width: int = 4,
        batch: int = 8,
        constants: list | None = None,
        extra: str = "",
    ) -> "Repository":
        """A model over tensors of `width` elements; without nodes, Y = X. `extra` is added to its configuration."""
        nodes = nodes or [helper.make_node("Identity", ["X"], ["Y"])]
        shape = ["n", width] if batch else [width]
        values = {each: helper.make_tensor_value_info(each, TYPES[type], shape) for each in (*inputs, *outputs)}
        graph = helper.make_graph(
            nodes, name, [values[each] for each in inputs], [values[each] for each in outputs], constants or []
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        (self.folder / name / "1").mkdir(parents=True)
        onnx.save(model, self.folder / name / "1" / "model.onnx")
        tensor = '{{ name: "{}" data_type: TYPE_{} dims: [{}] }}'
        tensors = "\n".join(
            f"{kind} [{', '.join(tensor.format(each, type, width) for each in names)}]"
            for kind, names in (("input", inputs), ("output", outputs))
        )
        head = f'name: "{name}"\nbackend: "onnxruntime"\nmax_batch_size: {batch}\n'
        (self.folder / name / "config.pbtxt").write_text(f"{head}{tensors}\n{extra}\n")
        return self

    def add_ensemble(self, name: str, configuration: str) -> "Repository":
        (self.folder / name / "1").mkdir(parents=True)
        (self.folder / name / "config.pbtxt").write_text(f'name: "{name}"\nplatform: "ensemble"\n{configuration}')
        return self


@pytest.fixture(scope="session")
def new_repository(tmp_path_factory) -> Callable[[], Repository]:
    """An empty repository, each time."""
    return lambda: Repository(tmp_path_factory.mktemp("repository"))


@pytest.fixture
def repository(new_repository) -> Repository:
    return new_repository()


@pytest.fixture(scope="session")
def gpu_environment() -> Path:
    """The environment with ONNX Runtime's CUDA build, which imports without a GPU, too."""
    command = [sys.executable, ROOT / "scripts" / "environments.py", "serving-gpu"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def slow_nodes(size: int = 384, rounds: int = 12) -> tuple[list, list]:
    """Nodes, and their constants, that take some milliseconds to compute Y = X: with matrix products of no effect."""
    matrix = helper.make_tensor("matrix", TensorProto.FLOAT, [size, size], [0.001] * (size * size))
    zero = helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0])
    nodes = [helper.make_node("ReduceMean", ["X"], ["seed"], keepdims=1)]
    nodes += [helper.make_node("Add", ["matrix", "seed1"], ["m0"])]
    nodes.insert(1, helper.make_node("ReduceMean", ["seed"], ["seed1"], keepdims=0))
    nodes += [helper.make_node("MatMul", [f"m{each}", "matrix"], [f"m{each + 1}"]) for each in range(rounds)]
    nodes += [
        helper.make_node("ReduceMean", [f"m{rounds}"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Add", ["X", "nothing"], ["Y"]),
    ]
    return nodes, [matrix, zero]


@pytest.fixture(scope="session")
def slow_model() -> tuple[list, list]:
    return slow_nodes()


@pytest.fixture(scope="session")
def eventually() -> Callable[..., bool]:
    """Whether a condition comes true within a deadline."""

    def wait(condition: Callable[[], object], within_s: float = 10.0) -> bool:
        deadline = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    return wait


@pytest.fixture(scope="session")
def is_alive() -> Callable[[int], bool]:
    """Whether a process runs: a zombie does not."""

    def look(process: int) -> bool:
        try:
            return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
        except OSError:
            return False

    return look


@pytest.fixture
def traces(tmp_path, monkeypatch) -> Callable[[int], list[Path]]:
    """What the servers of a launcher (its process id) have in shared memory and in temporary folders since now."""
    before = set(Path("/dev/shm").iterdir())  # another test's server may run in this process
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)

    def look(launcher: int) -> list[Path]:
        return [*set(Path("/dev/shm").glob(f"deepfake_{launcher}_*")) - before, *temporary.iterdir()]

    return look
