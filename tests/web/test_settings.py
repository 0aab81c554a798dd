"""A setting of the web application that makes no sense stops its start, with what to call it."""

import pytest
from deepfake_contract.errors import UsageError
from deepfake_web import serve
from deepfake_web.settings import WebSettings


@pytest.mark.parametrize("option", [["--gpu"], ["--cpu"], ["--repository", "models"]])
def test_an_option_that_a_running_triton_leaves_without_effect_is_refused(option, capsys):
    with pytest.raises(SystemExit) as ended:
        serve.main(["--triton", "127.0.0.1:9", *option])
    assert ended.value.code == 2
    assert "--triton names a running Triton" in capsys.readouterr().err


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_can_not_be_is_refused_with_its_option_and_its_range(port):
    with pytest.raises(UsageError, match=f"--port or DEEPFAKE_PORT must be from 0 to 65535, but is {port}"):
        WebSettings(port=port)
