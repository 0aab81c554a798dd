"""A network carried in files: the same answers, and what is said of files that are missing or damaged."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from deepfake_contract.description import NetworkSpec
from deepfake_contract.errors import BundleError
from deepfake_networks.network import HybridNetwork
from deepfake_networks.profiles import LITE
from deepfake_training import network_files
from deepfake_training.network_files import load_network_files, read_about, save_network_files
from families import FAMILIES, FOUR

VIT = NetworkSpec(
    "dinov2",
    "vit_small_patch14_dinov2",
    "dinov2.pth",
    arguments={"img_size": 224, "fc_norm": False},
    fft=None,
)
ABOUT = {"recipe": "minutes", "pictures": 16000, "auc": {"swaps": 0.71}}


def fresh(spec: NetworkSpec) -> HybridNetwork:
    torch.manual_seed(0)
    return HybridNetwork(spec).eval()


def rounded(network: HybridNetwork) -> HybridNetwork:
    """Its tables as float16 holds them."""
    state = {key: value.half().float() if value.ndim > 1 else value for key, value in network.state_dict().items()}
    copy = HybridNetwork(network.spec).eval()
    copy.load_state_dict(state, strict=True)
    return copy


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, HybridNetwork]:
    folder, network = tmp_path_factory.mktemp("network"), fresh(FAMILIES[1])
    save_network_files(folder, "atto", network, ABOUT)
    return folder, network


@pytest.fixture
def copied(original, tmp_path: Path) -> Path:
    """Files to damage."""
    for file in original[0].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


@pytest.mark.parametrize("spec", [*FOUR, VIT, replace(LITE[0], fft=None)], ids=lambda spec: spec.name)
def test_what_comes_back_answers_as_the_network_rounded_to_float16(spec, tmp_path):
    network = fresh(spec)
    save_network_files(tmp_path, "carried", network, {})
    back = load_network_files(tmp_path)
    given = torch.rand(2, 3, 224, 224), torch.tensor([40.0, 200.0])
    with torch.no_grad():
        answers, expected = back(*given), rounded(network)(*given)
    assert torch.equal(answers, expected)
    assert back.spec == spec
    assert not back.training
    assert {value.dtype for value in back.parameters()} == {torch.float32}


def test_norms_and_biases_keep_every_bit(tmp_path):
    network = fresh(FAMILIES[1])
    with torch.no_grad():
        for value in network.parameters():
            if value.ndim == 1:
                value.add_(torch.randn_like(value) * 1e-4)
    save_network_files(tmp_path, "atto", network, {})
    wanted, found = network.state_dict(), load_network_files(tmp_path).state_dict()
    assert all(torch.equal(found[key], value) for key, value in wanted.items() if value.ndim < 2)


def test_a_vision_transformer_takes_three_parts_of_at_most_16_mib(tmp_path):
    paths = save_network_files(tmp_path, "vit", fresh(VIT), ABOUT)
    assert [path.name for path in paths] == ["vit.json", *(f"vit-{number}.safetensors" for number in (1, 2, 3))]
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert max(path.stat().st_size for path in paths) <= 16 * 2**20
    assert json.loads(paths[0].read_text())["spec"]["fft"] is None


def test_what_is_known_of_it_comes_back(original):
    assert read_about(original[0]) == ABOUT
    assert read_about(original[0] / "atto.json") == ABOUT


def test_saving_again_replaces_it(original, tmp_path):
    network = original[1]
    save_network_files(tmp_path, "atto", network, {"step": 1})
    changed = fresh(network.spec)
    torch.nn.init.normal_(changed.classifier[4].weight)
    save_network_files(tmp_path, "atto", changed, {"step": 2})
    assert read_about(tmp_path) == {"step": 2}
    found = load_network_files(tmp_path).classifier[4].weight
    assert torch.equal(found, changed.classifier[4].weight.half().float())


def test_a_missing_part_is_named(copied):
    (copied / "atto-1.safetensors").unlink()
    with pytest.raises(BundleError, match=r"atto-1\.safetensors is missing .* copy it again"):
        load_network_files(copied)


def test_one_wrong_byte_in_a_part_is_found(copied):
    part = copied / "atto-1.safetensors"
    data = bytearray(part.read_bytes())
    data[-1] ^= 1
    part.write_bytes(data)
    with pytest.raises(BundleError, match=r"atto-1\.safetensors is not what atto\.json lists"):
        load_network_files(copied)


def test_a_part_cut_off_is_found(copied):
    part = copied / "atto-1.safetensors"
    part.write_bytes(part.read_bytes()[:1000])
    with pytest.raises(BundleError, match="its SHA-256 differs"):
        load_network_files(copied)


def change(copied: Path, key: str, value: object) -> None:
    description = copied / "atto.json"
    description.write_text(json.dumps(json.loads(description.read_text()) | {key: value}))


@pytest.mark.parametrize("parts", [None, [], "atto", [{"file": "../atto-1.safetensors", "sha256": "0"}], [{}]])
def test_a_list_of_parts_that_makes_no_sense_is_refused(copied, parts):
    change(copied, "parts", parts)
    with pytest.raises(BundleError, match=r"atto\.json must list its parts"):
        load_network_files(copied)


def test_a_description_of_another_network_is_refused(copied):
    change(copied, "spec", json.loads((copied / "atto.json").read_text())["spec"] | {"fft": None})
    with pytest.raises(BundleError, match=r"atto\.json has unexpected fft_head\.net\.0\.bias"):
        load_network_files(copied)


def test_an_unknown_architecture_is_named(copied):
    change(copied, "spec", json.loads((copied / "atto.json").read_text())["spec"] | {"architecture": "no_such_net"})
    with pytest.raises(BundleError, match="can't make architecture 'no_such_net'"):
        load_network_files(copied)


def test_a_folder_of_two_networks_asks_which(copied):
    (copied / "other.json").write_bytes((copied / "atto.json").read_bytes())
    with pytest.raises(BundleError, match=r"holds atto\.json, other\.json: name the file"):
        load_network_files(copied)
    assert isinstance(load_network_files(copied / "atto.json"), HybridNetwork)


def test_an_absent_description_is_named(tmp_path):
    with pytest.raises(BundleError, match=r"There is no .*lost\.json"):
        load_network_files(tmp_path / "lost.json")


def test_a_description_that_is_no_json_is_named(copied):
    (copied / "atto.json").write_text("{")
    with pytest.raises(BundleError, match=r"atto\.json can't be read"):
        load_network_files(copied)


def test_a_weight_too_large_for_float16_is_not_written(tmp_path):
    network = fresh(FAMILIES[1])
    with torch.no_grad():
        network.classifier[1].weight[0, 0] = 1e6
    with pytest.raises(BundleError, match=r"classifier\.1\.weight is not finite"):
        save_network_files(tmp_path, "large", network, {})
    assert not list(tmp_path.iterdir())


def test_a_table_larger_than_a_part_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(network_files, "PART_BYTES", 100_000)
    with pytest.raises(ValueError, match="more than the 100000 of a part"):
        save_network_files(tmp_path, "large", fresh(FAMILIES[1]), {})


def test_files_are_read_where_only_torch_timm_and_safetensors_are(original):
    absent = ["av", "deepfake_client", "grpc", "joblib", "onnx", "onnxruntime", "sklearn", "tritonclient"]
    code = (
        "import sys; from pathlib import Path; sys.modules.update(dict.fromkeys(sys.argv[2:]))\n"
        "from deepfake_training.network_files import load_network_files\n"
        "print(load_network_files(Path(sys.argv[1])).spec.name)"
    )
    done = subprocess.run([sys.executable, "-c", code, original[0], *absent], capture_output=True, text=True)
    assert done.stdout == "convnext\n", done.stderr
