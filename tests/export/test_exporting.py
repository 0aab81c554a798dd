"""The output appears whole or not at all."""

import os
import shutil
import signal
import subprocess
import sys

import pytest
from deepfake_contract.errors import BundleError, ExportError
from deepfake_export.command import main
from deepfake_export.configuration import ServingOptions
from deepfake_export.exporting import export


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out" / "repository"


@pytest.fixture
def earlier(exported_repository, output):
    """A repository that is already there, with a mark."""
    output.parent.mkdir(parents=True)
    shutil.copytree(exported_repository, output)
    (output / "mark").touch()
    return output


def test_an_earlier_repository_is_replaced_whole(second):
    assert not (second.output / "mark").exists()
    assert [path.name for path in second.output.parent.iterdir()] == ["repository"]


def test_an_interrupted_export_leaves_the_earlier_repository(bundle_folder, earlier, ready_written):
    def interrupt(message: str) -> None:
        if "Comparing" in message:  # everything is written by now
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(bundle_folder, earlier, ServingOptions(), 1, progress=interrupt)
    assert (earlier / "mark").exists()
    assert [path.name for path in earlier.parent.iterdir()] == ["repository"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signalled_command_leaves_nothing(bundle_folder, output, number):
    code = "import sys; from deepfake_export.command import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, str(bundle_folder), "--output", str(output)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        for line in process.stderr:  # until the networks are being converted
            if "Converting" in line:
                process.send_signal(number)
        assert process.wait(60) == 130
    assert list(output.parent.iterdir()) == []


def test_a_folder_that_is_no_repository_is_not_replaced(bundle_folder, output):
    output.mkdir(parents=True)
    (output / "thesis.txt").write_text("important")
    with pytest.raises(ExportError, match="is no model repository"):
        export(bundle_folder, output, ServingOptions(), 1)
    assert (output / "thesis.txt").exists()


def test_an_empty_folder_is_filled(bundle_folder, output, ready_written):
    output.mkdir(parents=True)
    export(bundle_folder, output, ServingOptions(), 1)
    assert (output / "swin" / "config.pbtxt").exists()


def test_other_users_may_read_the_repository(exported_repository):
    """Triton runs as another user in its container."""
    for path in [exported_repository, *exported_repository.rglob("*")]:
        assert path.stat().st_mode & 0o004, path
        assert path.is_file() or path.stat().st_mode & 0o001, path


def test_the_command_prints_the_parity_and_succeeds(second):
    assert second.code == 0
    assert second.printed.startswith("Parity over 1 crops\n")
    assert second.printed.endswith(f"Exported to {second.output}\n")


def test_an_incomplete_bundle_is_told_in_a_sentence(bundle_folder, output, tmp_path):
    copy = shutil.copytree(bundle_folder, tmp_path / "copy")
    (copy / "swin.pth").unlink()
    with pytest.raises(BundleError, match=r"swin\.pth is missing") as refused:
        main([str(copy), "--output", str(output)])
    assert refused.value.exit_code == 1
    assert not output.exists()


@pytest.mark.parametrize("arguments", [["--instances", "0"], ["--queue-timeout", "-1"], ["--gpu", "h100"], []])
def test_wrong_options_are_a_usage_error(tmp_path, arguments):
    given = [str(tmp_path), *([*arguments, "--output", "x"] if arguments else [])]
    with pytest.raises(SystemExit) as left:
        main(given)
    assert left.value.code == 2


def test_a_time_out_shorter_than_four_batches_is_warned_of(bundle_folder, output, ready_written, caplog):
    export(bundle_folder, output, ServingOptions(queue_timeout_s=0.001), 1)
    assert "--queue-timeout" in caplog.text
