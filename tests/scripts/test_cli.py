"""What people get wrong: one line on standard error, and an exit status that says so."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.cli import execute

ROOT = Path(__file__).resolve().parents[2]


def told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    status = execute(arguments)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1, captured.err
    assert captured.err.startswith("seawall: ")
    return status, captured.err


@pytest.mark.parametrize(
    ("arguments", "status", "line"),
    [
        (["run", "--events", "nowhere.jsonl"], 1, "cannot read nowhere.jsonl: No such file or directory"),
        (["run", "--map", "karma=x"], 1, "--map karma=x: allowed: FIELD=NAME"),
        (["run", "--limit", "0"], 2, "--limit"),
        (["run", "--no-such-option"], 2, "--no-such-option"),
        (["swim"], 2, "swim"),
        (["score", "nowhere.csv", "--out", "x"], 1, "cannot read nowhere.csv"),
        (["score", "nowhere.csv"], 2, "--out"),
    ],
)
def test_one_line(arguments: list[str], status: int, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    got, err = told(arguments, capsys)
    assert got == status
    assert line in err


def test_a_port_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        status, err = told(["run", "--ingest-port", str(port)], capsys)
    assert status == 1
    assert f"port {port} for ingest is in use" in err


def test_help_without_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute([]) == 0
    assert "run" in capsys.readouterr().out


@pytest.mark.endurance
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_all_that_it_started(number: signal.Signals, status: int, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'protos'}", "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "scripts.cli", "run", "--events", "-"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write('{"content": "hello there"}\n')
        process.stdin.flush()
        assert "low risk" in process.stdout.readline()
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert len(children) == 4
        process.send_signal(number)
        assert process.wait(60) == status
        assert "Traceback" not in process.stderr.read()
    assert not any(Path(f"/proc/{child}").exists() for child in children)
    assert list(tmp_path.iterdir()) == []
