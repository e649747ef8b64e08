"""What really listens is what the table of ports in docs/configuration.md names, and nothing besides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from scripts.system.system import System

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
_LISTEN = "0A"
LOOPBACK = {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}


def documented() -> dict[str, set[int]]:
    """The ports of the table, by who listens on them."""
    found: dict[str, set[int]] = {}
    for port, who in re.findall(r"^\| (\d+) \| (\w+) \|", PAGE, re.MULTILINE):
        found.setdefault(who.lower(), set()).add(int(port))
    return found


def family_of(pid: int) -> Iterator[int]:
    """A process and all that it started."""
    yield pid
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in path.read_text().split():
            yield from family_of(int(child))


def listening(pid: int) -> set[tuple[str, int]]:
    """Addresses, in the kernel's hex, and TCP ports on which a process or a child of it listens."""
    sockets = set()
    for member in family_of(pid):
        for link in Path(f"/proc/{member}/fd").iterdir():
            try:
                target = str(link.readlink())
            except FileNotFoundError:  # closed meanwhile
                continue
            if match := re.fullmatch(r"socket:\[(\d+)\]", target):
                sockets.add(match[1])
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            parts = line.split()
            if parts[3] == _LISTEN and parts[9] in sockets:
                address, port = parts[1].split(":")
                found.add((address, int(port, 16)))
    return found


def test_every_process_listens_on_its_documented_ports_alone(system: System) -> None:
    table = documented()
    ingest, screener, triton = system.ingest, system.screener, system.triton
    expected = {
        "ingest": (ingest.process.pid, {ingest.ports.grpc, ingest.ports.http}),
        "screener": (screener.process.pid, {screener.ports.grpc, screener.ports.http}),
        "triton": (triton.pid, {triton.ports.grpc, triton.ports.http, triton.ports.metrics}),
        "redis": (system.redis.process.pid, {system.redis.port}),
    }
    assert table.keys() == expected.keys()
    for who, (pid, ports) in expected.items():
        assert pid
        found = listening(pid)
        assert {port for _, port in found} == ports, who
        assert len(ports) == len(table[who]), who
        assert {address for address, _ in found} <= LOOPBACK, who


def test_images_expose_the_documented_ports_alone() -> None:
    table = documented()
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
    by_name = {stage.splitlines()[0].split(" AS ")[1]: stage for stage in stages}
    for name, stage in by_name.items():
        exposed = {
            int(port) for line in re.findall(r"^EXPOSE (.+)$", stage, re.MULTILINE) for port in line.split()
        }
        assert exposed == (table[name] if name in {"ingest", "screener"} else set()), name
