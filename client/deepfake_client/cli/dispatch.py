"""The command `deepfake`: finds its sub-commands among the installed entry points, and loads the one that is called."""

import os
import sys
import traceback
from importlib.metadata import EntryPoint, entry_points, version

from deepfake_contract.errors import DeepfakeError

GROUP = "deepfake.commands"
USAGE = 2
DEFECT = 70  # an error of our own, as sysexits.h says it: not to be taken for a result
INTERRUPTED = 130  # 128 + SIGINT, as shells say it
OURS = "deepfake_"  # a missing module of ours is a defect, not an extra to install


def main() -> int:
    """`deepfake SUBCOMMAND …`; returns the exit code. A DeepfakeError is printed as its sentence."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # ONNX Runtime reports sessions to its maker otherwise
    name, *arguments = sys.argv[1:] or ["--help"]
    commands = {each.name: each for each in entry_points(group=GROUP)}
    if name in ("-h", "--help"):
        print(_usage(commands))
        return 0
    if name == "--version":
        print(version("deepfake-detector"))
        return 0
    if name not in commands:
        return _complain(f"there is no sub-command {name!r}\n{_usage(commands)}")
    try:
        run = commands[name].load()
    except ModuleNotFoundError as cause:
        if (cause.name or "").startswith(OURS):
            raise
        return _complain(_missing(commands[name], cause.name))
    try:
        return run(arguments)
    except DeepfakeError as error:
        _complain(error.detail)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception:
        traceback.print_exc()
        return DEFECT


def _usage(commands: dict[str, EntryPoint]) -> str:
    return f"usage: deepfake {{{','.join(sorted(commands))}}} …\n`deepfake SUBCOMMAND --help` tells more."


def _missing(command: EntryPoint, module: str | None) -> str:
    extra = f"[{','.join(command.extras)}]" if command.extras else ""
    return f"`deepfake {command.name}` needs {module}: call scripts/deepfake, or pip install '.{extra}' in the clone."


def _complain(sentence: str) -> int:
    print(f"deepfake: {sentence}", file=sys.stderr)
    return USAGE


if __name__ == "__main__":
    sys.exit(main())
