"""The val rows belong to evaluation alone."""

import ast

from conftest import CLONE

PACKAGE = CLONE / "training" / "deepfake_training"
LEARNS = ("train", "trial")  # the entry points of everything that learns


def test_what_learns_reads_no_other_split_and_nothing_of_the_evaluation():
    learning = reached(LEARNS)
    assert {"member", "batches", "data", "stack", "crops"} <= learning
    assert not learning & {"labelled", "answers", "evaluate", "findings"}
    for name in learning:
        texts = {node.value for node in ast.walk(tree(name)) if isinstance(node, ast.Constant)}
        assert "val" not in texts, name


def test_a_manifest_is_read_for_its_training_rows_only():
    calls = [
        ast.unparse(node)
        for name in reached(LEARNS)
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "read_manifest"
    ]
    assert calls == ["read_manifest(data, 'train')"]


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
