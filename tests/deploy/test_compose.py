"""The compose file, its settings and the image: what can be checked without a container engine."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingest.settings import IngestSettings
from screener.settings import ScreenerSettings
from screener.triton import MODEL
from scripts.system.redis import ACL_FILES, USERS
from scripts.system.triton import ADMIN_APIS, ADMIN_HEADER

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
ENV_EXAMPLE = ROOT / ".env.example"
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
CONFIGURATION = ROOT / "docs" / "configuration.md"

TOOLS = Path(sys.executable).parent
"""Where the tools of the environment lie, activated or not."""

OURS = ("ingest", "screener")
PASSWORDS = {f"REDIS_{user.upper()}_PASSWORD" for user in USERS}
COMPOSE_ALONE = {
    *PASSWORDS,
    "TRITON_ADMIN_SECRET",
    "REDIS_MAXMEMORY",
    "PUBLISH_HOST",
    "SCREENER_REPLICAS",
}
"""Variables that the compose file itself takes; docs/configuration.md lists them."""


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return loaded


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """Each variable that .env.example names, with the value that it shows."""
    return dict(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=(.*)$", ENV_EXAMPLE.read_text(), re.MULTILINE))


def known_settings() -> dict[str, Any]:
    fields = {**IngestSettings.model_fields, **ScreenerSettings.model_fields}
    return {name.upper(): info.default for name, info in fields.items()}


def published(service: dict[str, Any]) -> dict[int, str]:
    """The host's port or ports, by the container's."""
    return {port["target"]: port["published"] for port in service["ports"]}


def seconds(duration: str) -> int:
    match = re.fullmatch(r"(\d+)s", duration)
    assert match, f"{duration} is not in seconds"
    return int(match[1])


def test_follows_the_compose_specification() -> None:
    tool = str(TOOLS / "check-jsonschema")
    subprocess.run([tool, "--builtin-schema", "vendor.compose-spec", str(COMPOSE)], check=True, timeout=60)


def test_hadolint_has_nothing_to_say() -> None:
    told = subprocess.run(
        [str(TOOLS / "hadolint"), str(DOCKERFILE)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (told.returncode, told.stdout) == (0, "")


def test_example_names_only_variables_that_somebody_reads(settings: dict[str, str]) -> None:
    assert settings.keys() - known_settings().keys() == COMPOSE_ALONE


def test_example_shows_the_defaults(settings: dict[str, str]) -> None:
    for name, shown in settings.items():
        if name in COMPOSE_ALONE or name in {"API_KEYS", "DEDUP_SECRET"}:
            continue
        default = known_settings()[name]
        assert shown == (str(default).lower() if isinstance(default, bool) else str(default)), name


def test_example_holds_no_secret(settings: dict[str, str]) -> None:
    assert settings["API_KEYS"] == settings["DEDUP_SECRET"] == settings["TRITON_ADMIN_SECRET"] == ""
    assert {settings[name] for name in PASSWORDS} == {""}


def test_compose_takes_only_variables_that_the_example_names(settings: dict[str, str]) -> None:
    wanted = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", COMPOSE.read_text()))
    assert wanted <= settings.keys()
    assert wanted >= COMPOSE_ALONE


def test_compose_sets_only_variables_that_the_services_read(compose: dict[str, Any]) -> None:
    for name in OURS:
        assert compose["services"][name]["environment"].keys() <= known_settings().keys()


def test_ports_are_the_defaults_of_the_settings(compose: dict[str, Any]) -> None:
    services = compose["services"]
    ingest, screener = IngestSettings.model_fields, ScreenerSettings.model_fields
    assert published(services["ingest"]) == {
        ingest["ingest_grpc_port"].default: str(ingest["ingest_grpc_port"].default),
        ingest["ingest_http_port"].default: str(ingest["ingest_http_port"].default),
    }
    # A range, for replicas: the first of them gets its first port.
    assert {target: ports.split("-")[0] for target, ports in published(services["screener"]).items()} == {
        screener["screener_grpc_port"].default: str(screener["screener_grpc_port"].default),
        screener["screener_http_port"].default: str(screener["screener_http_port"].default),
    }
    assert screener["triton_grpc_url"].default.endswith(":8101")


def test_ports_are_those_that_the_documentation_names(compose: dict[str, Any]) -> None:
    rows = re.findall(r"^\| (\d+) \| (\w+) \|", CONFIGURATION.read_text(), re.MULTILINE)
    # Triton listens on three, and publishes none.
    documented = {(name.lower(), int(port)) for port, name in rows if name != "Triton"}
    of_compose = {
        (name, target)
        for name, service in compose["services"].items()
        for target in (published(service) if "ports" in service else ())
    }
    assert documented == of_compose


def test_nothing_is_published_beyond_this_machine_by_itself(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for port in service.get("ports", ()):
            assert port["host_ip"] == "${PUBLISH_HOST:-127.0.0.1}"


def test_every_service_is_confined(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        user = service["user"]
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user), f"{name} runs as {user}"
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert "privileged" not in service, name


def test_every_service_comes_back_and_waits_for_what_it_needs(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, service in services.items():
        assert service["restart"] == ("no" if name == "model-build" else "unless-stopped")
        for needed, how in service.get("depends_on", {}).items():
            wanted = "service_completed_successfully" if needed == "model-build" else "service_healthy"
            assert how["condition"] == wanted, f"{name} needs {needed}"
    # Accepting events needs Redis alone.
    assert services["ingest"]["depends_on"].keys() == {"redis"}
    assert services["screener"]["depends_on"].keys() == {"redis", "triton", "model-build"}


def test_services_are_given_longer_to_stop_than_they_take(compose: dict[str, Any]) -> None:
    # Calls under way get the grace, then what they left under way; the screener's Triton may hold a batch.
    drain_s = 2 * IngestSettings.model_fields["drain_grace_ms"].default / 1000
    batch_s = ScreenerSettings.model_fields["model_timeout_ms"].default / 1000
    services = compose["services"]
    assert seconds(services["ingest"]["stop_grace_period"]) > drain_s
    assert seconds(services["screener"]["stop_grace_period"]) > drain_s + batch_s


def test_redis_keeps_every_promise_on_disk(compose: dict[str, Any]) -> None:
    command = compose["services"]["redis"]["command"][-1]
    for option in ("--appendonly yes", "--appendfsync always", "--maxmemory-policy noeviction"):
        assert option in command
    assert "redis-data:/data" in compose["services"]["redis"]["volumes"]


def test_each_part_has_its_own_user_of_redis(compose: dict[str, Any]) -> None:
    services, redis = compose["services"], compose["services"]["redis"]
    for name in OURS:
        url = services[name]["environment"]["REDIS_URL"]
        assert url.startswith(f"redis://{name}:${{REDIS_{name.upper()}_PASSWORD:?")
    command = redis["command"][-1]
    assert "/etc/seawall/fill-users.sh /etc/seawall/users.acl > /tmp/users.acl" in command
    assert "--aclfile /tmp/users.acl" in command
    assert f"./{ACL_FILES.relative_to(ROOT)}:/etc/seawall:ro" in redis["volumes"]
    wanted = set(re.findall(r"REDIS_[A-Z]+_PASSWORD", (ACL_FILES / "users.acl").read_text()))
    assert wanted == PASSWORDS == redis["environment"].keys() - {"REDIS_MAXMEMORY"}


def test_nobody_changes_what_triton_serves(compose: dict[str, Any]) -> None:
    triton = compose["services"]["triton"]
    assert "ports" not in triton
    assert "--http-address=127.0.0.1" in triton["command"]
    for option in ("--grpc-restricted-protocol", "--http-restricted-api"):
        secret = "${TRITON_ADMIN_SECRET:?set it in .env}"
        assert f"{option}={ADMIN_APIS}:{ADMIN_HEADER}={secret}" in triton["command"]


def test_triton_serves_the_model_that_the_screener_asks_for(compose: dict[str, Any]) -> None:
    command = compose["services"]["triton"]["command"]
    assert "--model-control-mode=explicit" in command
    assert f"--load-model={MODEL}" in command


def test_targets_of_compose_are_stages_that_run_as_a_number(compose: dict[str, Any]) -> None:
    stages = re.split(r"^FROM ", DOCKERFILE.read_text(), flags=re.MULTILINE)[1:]
    by_name = {stage.splitlines()[0].split(" AS ")[1]: stage for stage in stages}
    built = {name: s["build"] for name, s in compose["services"].items() if "build" in s}
    assert built.keys() == {*OURS, "model-build"}
    for build in built.values():
        stage = by_name[build["target"]]
        assert "\nUSER 10001:10001\n" in stage
        assert "\nENTRYPOINT " in stage
    for name in OURS:
        assert f'"pipeline.alive", "{name.upper()}_HTTP_PORT"' in by_name[name]


def test_images_copy_only_what_is_there() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE.read_text(), re.MULTILINE)
    paths = [path for line in copied for path in line.split()]
    missing = [path for path in paths if not (ROOT / path).exists()]
    assert paths
    assert not missing


def test_build_context_holds_what_the_images_copy() -> None:
    # The last pattern that fits decides, as the builder does it.
    shown = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE.read_text(), re.MULTILINE)
    for path in (path.rstrip("/") for line in copied for path in line.split()):
        assert path in shown, f"{path} is hidden from the builder"
