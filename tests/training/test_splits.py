"""The val rows belong to evaluation alone."""

import ast

from conftest import CLONE
from deepfake_training.data import TRAIN

PACKAGE = CLONE / "training" / "deepfake_training"
LEARNS = ("train", "trial")  # the entry points of everything that learns


def test_what_learns_reads_no_other_split_and_nothing_of_the_evaluation():
    learning = reached(LEARNS)
    assert {"network_training", "batches", "data", "stack", "crops"} <= learning
    assert not learning & {"predictions", "evaluate", "findings", "certainty"}
    for name in learning:
        texts = {node.value for node in ast.walk(tree(name)) if isinstance(node, ast.Constant)}
        assert "val" not in texts, name


def test_what_learns_reads_its_rows_by_one_function_that_knows_one_split():
    named = {name: {node.id for node in ast.walk(tree(name)) if isinstance(node, ast.Name)} for name in reached(LEARNS)}
    assert {name for name, names in named.items() if "read_training" in names} == set(LEARNS)
    assert not any({"read_labelled", "read_manifest"} & names for name, names in named.items() if name != "data")
    assert TRAIN == "train"
    reading = next(node for node in tree("data").body if getattr(node, "name", "") == "read_training")
    assert "read_manifest(data, TRAIN, NEEDED_TO_LEARN)" in ast.unparse(reading)


def tree(name: str) -> ast.Module:
    return ast.parse((PACKAGE / f"{name.replace('.', '/')}.py").read_text())


def reached(names: tuple[str, ...]) -> set[str]:
    """The package's modules that these import, directly or not."""
    seen: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += [
                module
                for node in ast.walk(tree(name))
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("deepfake_training")
                for module in imported(node)
            ]
    return seen


def imported(node: ast.ImportFrom) -> list[str]:
    """Modules of the package, those in a folder of it as `folder.module`."""
    inside = str(node.module).removeprefix("deepfake_training").lstrip(".")
    if (PACKAGE / inside.replace(".", "/")).is_dir():
        return [f"{inside}.{alias.name}".lstrip(".") for alias in node.names]
    return [inside]
