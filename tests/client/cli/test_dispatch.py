"""The command and its sub-commands."""

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest
from deepfake_client.cli import dispatch
from deepfake_contract.errors import UnavailableError


@pytest.fixture
def run(monkeypatch):
    """Runs the command with these sub-commands installed."""

    def call(*arguments: str, **commands: str) -> int:
        points = [EntryPoint(name, value, dispatch.GROUP) for name, value in commands.items()]
        monkeypatch.setattr(dispatch, "entry_points", lambda group: points)
        monkeypatch.setattr(sys, "argv", ["deepfake", *arguments])
        return dispatch.main()

    return call


def test_help_lists_the_sub_commands(run, capsys):
    assert run("--help", scan="x:main", serve="y:main") == 0
    assert "{scan,serve}" in capsys.readouterr().out


def test_an_unknown_sub_command_is_a_usage_error(run, capsys):
    assert run("scna", scan="x:main") == 2
    assert "'scna'" in capsys.readouterr().err


def test_a_sub_command_that_lacks_its_packages_names_the_extra(run, capsys):
    assert run("train", train="torch_of_another_age.train:main [training]") == 2
    assert "pip install '.[training]'" in capsys.readouterr().err


def test_a_module_of_ours_that_is_missing_is_not_blamed_on_an_extra(run):
    with pytest.raises(ModuleNotFoundError):
        run("scan", scan="deepfake_nowhere:main")


def test_an_error_is_told_in_its_sentence_with_its_exit_code(run, capsys, monkeypatch):
    def fail(arguments):
        raise UnavailableError("No Triton answers.")

    monkeypatch.setattr(dispatch, "fail", fail, raising=False)
    assert run("scan", scan="deepfake_client.cli.dispatch:fail") == 4
    assert capsys.readouterr().err == "deepfake: No Triton answers.\n"


def test_the_command_loads_no_sub_command_it_is_not_asked_for():
    code = "import sys; from deepfake_client.cli import dispatch; sys.argv = ['deepfake', '--help']; dispatch.main(); "
    heavy = "sorted({'tritonclient', 'numpy', 'PIL', 'flask', 'msgspec', 'torch', 'rich'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", f"{code}print({heavy})"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
