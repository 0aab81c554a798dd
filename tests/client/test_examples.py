"""The raw calls in client/examples give what the library gives."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from deepfake_client.analysis.triton import Triton
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "client" / "examples"


@pytest.fixture
def crop(astronaut) -> Image.Image:
    return Image.fromarray(astronaut[30:190, 150:310]).resize((224, 224), Image.Resampling.BILINEAR)


@pytest.mark.parametrize(
    ("program", "server", "format"),
    [
        ([sys.executable, "grpc_client.py"], "grpc", "png"),
        ([sys.executable, "http_client.py"], "http", "png"),
        (["sh", "curl_client.sh"], "http", "ppm"),
    ],
)
def test_an_example_prints_the_probability_of_a_crop(triton_server, crop, tmp_path, program, server, format):
    path = tmp_path / f"crop.{format}"
    crop.save(path)
    command = [*program, str(path), getattr(triton_server, server)]
    done = subprocess.run(command, cwd=EXAMPLES, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    connection = Triton(triton_server.grpc, deadline_s=60)
    expected = connection.ask_networks(np.asarray(crop)[np.newaxis])
    names = connection.bundle().description.names
    connection.close()
    printed = re.search(r"probability of FAKE: ([\d.e-]+)", done.stdout)
    assert printed and float(printed[1]) == pytest.approx(float(expected.probability[0]), abs=1e-4)
    if program[0] == sys.executable:
        said = {name: float(number) for name, number in re.findall(r"^  (\w+): ([\d.]+)$", done.stdout, re.MULTILINE)}
        wanted = dict(zip(names, expected.networks[0].tolist(), strict=True))
        assert said == pytest.approx(wanted, abs=1e-4)
