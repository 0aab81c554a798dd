"""What `deepfake_client` offers, and that nobody loads more than they use."""

import subprocess
import sys

import deepfake_client
import pytest
from deepfake_client import DeepfakeError, Detector, Result
from deepfake_client.detector import Detector as SameDetector
from deepfake_client.results import Result as SameResult
from deepfake_contract import errors


def test_the_public_names_are_those_of_their_modules():
    assert (DeepfakeError, Detector, Result) == (errors.DeepfakeError, SameDetector, SameResult)
    assert sorted(deepfake_client.__all__) == ["DeepfakeError", "Detector", "Result"]


def test_another_name_is_missing():
    with pytest.raises(AttributeError, match="no attribute 'Detectr'"):
        deepfake_client.Detectr  # noqa: B018


@pytest.mark.parametrize("module", ["deepfake_client", "deepfake_client.media.child"])
def test_what_decodes_strangers_files_loads_little(module):
    heavy = {"grpc", "tritonclient", "msgspec", "jinja2", "rich", "flask", "torch", "typing_extensions"}
    code = f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
