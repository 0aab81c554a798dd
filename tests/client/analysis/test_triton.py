"""Failures of a server are told apart: busy, away, not ours, not understood."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from deepfake_client.analysis import triton as module
from deepfake_client.analysis.served_bundle import parse_bundle
from deepfake_client.analysis.triton import Triton
from deepfake_client.embedded import embedded_triton
from deepfake_contract.errors import BusyError, UnavailableError

CROPS = np.zeros((8, 224, 224, 3), np.uint8)


@pytest.fixture(scope="module")
def impatient(repository, tmp_path_factory):
    """A server of the same models whose queue rejects what waited for a tenth of a second."""
    folder = tmp_path_factory.mktemp("impatient") / "repository"
    shutil.copytree(repository, folder)
    for path in folder.glob("*/config.pbtxt"):
        lines = path.read_text().splitlines()
        path.write_text("\n".join(map(impatiently, lines)))
    with embedded_triton(folder) as address:
        yield address


def impatiently(line: str) -> str:
    name, _, _ = line.partition(":")
    return f"{name}: 100000" if name.strip() == "default_timeout_microseconds" else line


def test_a_queue_that_rejects_is_busy_and_answers_afterwards(impatient, monkeypatch):
    connection = Triton(impatient, deadline_s=60)

    def ask(_):
        try:
            return connection.ask_networks(CROPS)
        except BusyError as error:
            return error

    with monkeypatch.context() as patch, ThreadPoolExecutor(16) as pool:
        patch.setattr(module, "BUSY_PAUSES_S", ())
        outcomes = list(pool.map(ask, range(32)))
    assert any(isinstance(each, BusyError) for each in outcomes)
    assert connection.ask_networks(CROPS).probability.shape == (8,)
    connection.close()


def test_a_rejected_request_is_tried_again(impatient):
    connection = Triton(impatient, deadline_s=60)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: connection.ask_networks(CROPS[:1]), range(4)))
    assert len(answers) == 4
    connection.close()


def test_answers_have_a_row_a_crop(triton):
    connection = Triton(triton, deadline_s=60)
    answers = connection.ask_networks(CROPS[:3], heatmaps=True)
    networks = len(connection.bundle().description.names)
    assert (answers.probability.shape, answers.networks.shape, answers.heatmaps.shape) == (
        (3,),
        (3, networks),
        (3, 7, 7),
    )
    connection.close()


def test_a_request_that_the_server_refuses_does_not_repeat_its_words(triton):
    connection = Triton(triton, deadline_s=60)
    with pytest.raises(UnavailableError, match="can't run the model deepfake_ensemble; see its log"):
        connection.ask_networks(np.zeros((1, 8, 8, 3), np.uint8))
    connection.close()


def changed(bundle, **parts) -> str:
    """A bundle's parameter, with other values in it."""
    described = bundle.description.to_json()
    for part, value in parts.items():
        described[part] = described[part] | value if isinstance(value, dict) else value
    return json.dumps(described)


def test_a_bundle_is_read_as_the_ensemble_carries_it(bundle):
    served = parse_bundle(changed(bundle), 8)
    assert served == bundle
    assert served.model.titles == {"first": "The first", "second": "swin_tiny"}
    assert served.model.architectures == {"first": "tf_efficientnet_lite0", "second": "swin_tiny"}


def test_a_false_positive_rate_may_be_unknown(bundle):
    assert parse_bundle(changed(bundle, policy={"false_positive_rate": None}), 8).model.false_positive_rate is None


@pytest.mark.parametrize(
    "parts",
    [
        {"stacking": {"mean": [1]}},
        {"policy": {"threshold": None}},
        {"policy": {"uncertain": [1]}},
        {"policy": {"crop": "eyes"}},
        {"policy": {"aggregate": "median"}},
        {"networks": []},
        {"more": 1},
    ],
)
def test_a_bundle_that_is_not_understood_is_unavailable(bundle, parts):
    (part,) = parts
    with pytest.raises(UnavailableError, match=f"{part}.* Export it again"):
        parse_bundle(changed(bundle, **parts), 8)


@pytest.mark.parametrize("text", ["", "[]", "{}", "nonsense"])
def test_what_is_no_description_is_unavailable(text):
    with pytest.raises(UnavailableError, match="Export it again"):
        parse_bundle(text, 8)
