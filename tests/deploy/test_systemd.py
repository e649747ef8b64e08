"""The systemd units are as confined as the containers; checked by systemd itself where it is there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
UNITS = {name: ROOT / "deploy" / "systemd" / f"seawall-{name}.service" for name in ("ingest", "screener")}
CONFINED = {
    "DynamicUser": "yes",  # a user of its own, never root
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "ProtectSystem": "strict",  # the root file system can only be read
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "RestrictSUIDSGID": "yes",
    "UMask": "0077",
}


def service_of(unit: Path) -> dict[str, list[str]]:
    """The settings of the [Service] section; one may stand there several times."""
    section = unit.read_text().split("[Service]\n")[1].split("\n[")[0]
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", section, re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


@pytest.mark.parametrize("unit", UNITS.values(), ids=list(UNITS))
def test_every_unit_is_confined(unit: Path) -> None:
    settings = service_of(unit)
    assert {name: settings.get(name) for name in CONFINED} == {
        name: [value] for name, value in CONFINED.items()
    }
    assert "User" not in settings
    assert "ReadWritePaths" not in settings


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_runs_what_its_image_runs(name: str, compose: dict[str, Any]) -> None:
    settings = service_of(UNITS[name])
    assert settings["ExecStart"] == [f"/opt/seawall/.venv/bin/python -m {name}"]
    grace = compose["services"][name]["stop_grace_period"]
    assert settings["TimeoutStopSec"] == [grace.removesuffix("s")]


@pytest.mark.parametrize("unit", UNITS.values(), ids=list(UNITS))
def test_a_unit_holds_no_secret(unit: Path) -> None:
    assert service_of(unit)["EnvironmentFile"] == ["/etc/seawall.env"]
    assert not re.search(r"(KEY|SECRET|PASSWORD)\w*=", unit.read_text())


@pytest.mark.parametrize("unit", UNITS.values(), ids=list(UNITS))
def test_a_unit_has_only_lines_that_systemd_takes(unit: Path, tmp_path: Path) -> None:
    sections: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        if line.startswith("["):
            sections[line] = []
        elif line and not line.startswith("#"):
            assert re.fullmatch(r"[A-Z]\w*=.*", line), line
            sections[list(sections)[-1]].append(line)
    assert list(sections) == ["[Unit]", "[Service]", "[Install]"]
    if tool := shutil.which("systemd-analyze"):
        # It also wants the program to be there, which lies elsewhere on this machine.
        copy = tmp_path / unit.name
        copy.write_text(unit.read_text().replace("/opt/seawall/.venv/bin/python", "/bin/true"))
        told = subprocess.run(
            [tool, "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False, timeout=60
        )
        assert not [line for line in told.stderr.splitlines() if unit.name in line]
