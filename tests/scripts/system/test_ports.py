from __future__ import annotations

import socket

import pytest

from pipeline.errors import StartupFailed
from scripts.system.ports import HOST, Ports, is_free


def test_hands_out_different_free_ports() -> None:
    ports = Ports()
    taken = [ports.take(name="Redis") for _ in range(50)]
    assert len(set(taken)) == 50
    assert all(is_free(port) for port in taken)


def test_a_wanted_port_is_given() -> None:
    wanted = Ports().take(name="Redis")
    assert Ports().take(wanted, name="ingest") == wanted


def test_a_port_in_use_is_told_in_one_line() -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(StartupFailed, match=rf"^port {port} for ingest is in use: [^\n]+$"):
            Ports().take(port, name="ingest")


def test_the_same_port_is_not_given_twice() -> None:
    ports = Ports()
    port = ports.take(name="ingest")
    with pytest.raises(StartupFailed, match=f"port {port} for screener"):
        ports.take(port, name="screener")
