"""docker-compose.yml and web/Dockerfile against the code: they can't be run where the tests run."""

import json
import re
from pathlib import Path

import pytest
import yaml
from deepfake_client.embedded import DEFAULT_REPOSITORY
from deepfake_web.serve import parser
from deepfake_web.settings import WebSettings

ROOT = Path(__file__).parents[2]


def load(name: str) -> dict:
    return yaml.safe_load((ROOT / name).read_text())


@pytest.fixture
def services() -> dict:
    return load("docker-compose.yml")["services"]


@pytest.fixture
def flags(services) -> dict[str, str]:
    return dict(each.removeprefix("--").partition("=")[::2] for each in services["triton"]["command"])


@pytest.fixture
def dockerfile() -> str:
    return (ROOT / "web/Dockerfile").read_text()


def tmpfs(service: dict) -> dict[str, str]:
    return dict(each.split(":", 1) for each in service["tmpfs"])


def test_triton_is_new_enough_for_its_security_fixes(services):
    year, month = re.fullmatch(r"nvcr\.io/nvidia/tritonserver:(\d+)\.(\d+)-py3", services["triton"]["image"]).groups()
    assert (int(year), int(month)) >= (26, 4)


def test_triton_serves_the_repository_of_the_clone(services, flags):
    (volume,) = services["triton"]["volumes"]
    source, target, mode = volume.split(":")
    assert ROOT / source == DEFAULT_REPOSITORY
    assert (flags["model-repository"], mode) == (target, "ro")
    assert flags["model-control-mode"] == "none"


def test_triton_is_reached_from_inside_only(services):
    networks = load("docker-compose.yml")["networks"]
    assert "ports" not in services["triton"]
    assert all(networks[name]["internal"] for name in services["triton"]["networks"])
    assert set(services["triton"]["networks"]) < set(services["web"]["networks"])


def test_web_is_published_on_loopback_only_at_the_port_it_listens_on(services):
    (published,) = services["web"]["ports"]
    assert published == f"127.0.0.1:8080:{services['web']['environment']['DEEPFAKE_PORT']}"


def test_every_variable_is_a_setting_with_a_value_that_it_can_have(services):
    environment = services["web"]["environment"]
    assert environment.keys() <= {f"DEEPFAKE_{name.upper()}" for name in WebSettings.__dataclass_fields__}
    assert WebSettings.from_environment(environment).host == "0.0.0.0"


def test_web_asks_the_triton_of_the_file(services, flags):
    settings = WebSettings.from_environment(services["web"]["environment"])
    assert settings.triton == f"triton:{flags['grpc-port']}"


def test_every_upload_that_is_let_in_has_room(services):
    settings = WebSettings.from_environment(services["web"]["environment"])
    size = re.search(r"size=(\d+)g", tmpfs(services["web"])[settings.upload_folder])
    needed = (settings.max_analyses + settings.max_waiting) * settings.max_bytes
    assert int(size[1]) * 1024**3 >= needed


def test_health_checks_ask_for_addresses_that_exist(services, flags, app):
    triton, web = (services[name]["healthcheck"]["test"][-1] for name in ("triton", "web"))
    assert triton == f"http://127.0.0.1:{flags['http-port']}/v2/health/ready"
    port, path = re.search(r"127\.0\.0\.1:(\d+)(/[\w/]+)", web).groups()
    assert port == services["web"]["environment"]["DEEPFAKE_PORT"]
    assert path in {rule.rule for rule in app.url_map.iter_rules()}
    compile(web, "healthcheck", "exec")


@pytest.mark.parametrize("name", ["triton", "web"])
def test_containers_run_locked_down(services, name):
    service = services[name]
    assert service["read_only"] and service["cap_drop"] == ["ALL"] and "/tmp" in tmpfs(service)
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_nobody_is_root(services, dockerfile):
    assert services["triton"]["user"].split(":")[0] not in ("0", "root")
    assert re.search(r"^USER (\d+):", dockerfile, re.MULTILINE)[1] != "0"


@pytest.fixture
def gpu_services() -> dict:
    return load("docker-compose.gpu.yml")["services"]


def test_gpu_override_gives_triton_a_device_and_the_same_repository_unless_one_is_named(services, gpu_services):
    assert gpu_services.keys() == {"triton", "web"} and gpu_services["triton"].keys() == {"deploy", "volumes"}
    (device,) = gpu_services["triton"]["deploy"]["resources"]["reservations"]["devices"]
    assert device["driver"] == "nvidia" and "gpu" in device["capabilities"]
    (volume,), (usual,) = gpu_services["triton"]["volumes"], services["triton"]["volumes"]
    assert re.sub(r"\$\{DEEPFAKE_REPOSITORY:-([^}]+)\}", r"\1", volume) == usual


def test_gpu_override_lets_in_as_many_files_as_there_is_room_for(services, gpu_services):
    assert gpu_services["web"].keys() == {"environment"}
    usual = WebSettings.from_environment(services["web"]["environment"])
    settings = WebSettings.from_environment(services["web"]["environment"] | gpu_services["web"]["environment"])
    assert settings.max_analyses > usual.max_analyses
    assert settings.max_analyses + settings.max_waiting == usual.max_analyses + usual.max_waiting


def test_image_is_built_from_files_that_exist_and_are_not_ignored(services, dockerfile):
    build = services["web"]["build"]
    assert (ROOT / build["context"] / build["dockerfile"]).exists()
    wanted = (ROOT / f"{build['dockerfile']}.dockerignore").read_text().split()
    copies = [line.split() for line in dockerfile.splitlines() if line.startswith("COPY ") and "--from" not in line]
    sources = {source for _, *sources, _ in copies for source in sources}
    assert {f"!{source}" for source in sources} <= set(wanted)
    assert all((ROOT / source).exists() for source in sources)


def test_image_holds_locked_packages_on_a_pinned_base(dockerfile):
    bases = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert len(set(bases)) == 1 and re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", bases[0])
    assert dockerfile.count("pip install") == 3
    assert "--require-hashes -r requirements/client.txt\n" in dockerfile
    assert "--require-hashes --no-deps -r requirements/client-nodeps.txt\n" in dockerfile
    assert "--no-deps --no-build-isolation .\n" in dockerfile


def test_image_starts_a_command_that_is_understood(dockerfile):
    program, name, *arguments = json.loads(re.search(r"^CMD (.+)$", dockerfile, re.MULTILINE)[1])
    assert (program, name) == ("deepfake", "serve")
    assert parser().parse_args(arguments).host == "0.0.0.0"
    assert re.search(r"^EXPOSE (\d+)$", dockerfile, re.MULTILINE)[1] == str(WebSettings().port)
