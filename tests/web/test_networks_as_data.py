"""Bundles of two and of four networks: exported, served, scanned, answered over REST and shown on the page, by the very
code that does so for three."""

import json
import re
import subprocess
import sys
import urllib.request

import pytest
from deepfake_contract.description import Identity
from deepfake_export.configuration import ServingOptions
from deepfake_export.repository import write_repository
from deepfake_networks.bundle import Bundle
from families import FOUR, TWO, write_random_bundle
from playwright.sync_api import expect

ANSWER_MS = 120_000


@pytest.fixture(scope="module", params=[TWO, FOUR], ids=["two", "four"])
def specs(request):
    return request.param


@pytest.fixture(scope="module")
def repository(specs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("many")
    bundle = Bundle.load(write_random_bundle(folder / "bundle", Identity("many", "1.0.0"), specs))
    (folder / "repository").mkdir()
    write_repository(bundle, folder / "repository", ServingOptions(instances=1))
    return folder / "repository"


@pytest.fixture(scope="module")
def many(repository, serving, tmp_path_factory):
    with serving(repository, tmp_path_factory.mktemp("served")) as served:
        yield served


def names(specs) -> list[str]:
    return [spec.name for spec in specs]


def test_scan_answers_with_each_network_of_the_bundle(specs, repository, picture):
    command = [sys.executable, "-m", "deepfake_client.cli.dispatch", "scan", str(picture), "--json"]
    done = subprocess.run([*command, "--repository", str(repository)], capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    assert list(result["networks"]) == names(specs)
    assert list(result["contributions"]) == [*names(specs), "intercept"]
    assert result["model"]["architectures"] == {spec.name: spec.architecture for spec in specs}
    assert result["model"]["titles"] == {spec.name: spec.display_title for spec in specs}
    (face,) = result["frames"][0]["faces"]
    assert list(face["networks"]) == names(specs)


def test_health_knows_every_network_and_what_it_runs_on(specs, many):
    with urllib.request.urlopen(f"{many.address}/health", timeout=30) as answer:
        health = json.load(answer)
    assert (health["status"], health["device"]) == ("ok", "cpu")
    assert set(names(specs)) < set(health["models"])


def test_the_page_and_its_report_show_each_network(specs, many, new_page, clip):
    page = new_page(many.address)
    page.locator("#file[multiple]").set_input_files(clip)
    heading = re.compile("sign of manipulation|Uncertain")
    expect(page.get_by_role("heading", name=heading, level=2).first).to_be_visible(timeout=ANSWER_MS)
    rows = page.locator(".said tbody tr th").all_inner_texts()
    assert len(rows) == len(specs) + 1, "and the intercept"
    for spec, row in zip(specs, rows, strict=False):
        assert spec.display_title in row
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile("report", re.IGNORECASE)).first.click()
    report = download.value.path().read_text()
    for spec in specs:
        assert spec.display_title in report
