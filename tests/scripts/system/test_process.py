from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.system.process import ChildProcess, NotReady, ProcessDied

ENV = {"PATH": os.environ["PATH"]}
STUBBORN = "trap '' TERM; echo deaf; while :; do sleep 0.05; done"
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "child.log"


def shell(script: str, log: Path) -> ChildProcess:
    return ChildProcess("the child", ["bash", "-c", script], env=ENV, log=log)


@pytest.fixture
def sleeper(log: Path) -> Iterator[ChildProcess]:
    child = shell("exec sleep 60", log)
    yield child
    child.stop()


def gone(pid: int) -> bool:
    """Whether nothing with this number runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def wait_for(condition: object, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if callable(condition) and condition():
            return True
        time.sleep(0.02)
    return False


def test_becomes_ready_and_stops(sleeper: ChildProcess) -> None:
    sleeper.start()
    sleeper.wait_ready(lambda: True, timeout_s=5)
    assert sleeper.running
    assert os.getpgid(sleeper.pid) == sleeper.pid
    pid = sleeper.pid
    sleeper.stop()
    assert not sleeper.running
    assert gone(pid)


def test_an_early_death_tells_the_last_meaningful_line(log: Path) -> None:
    child = shell("echo starting; echo 'error: no such file: model.onnx'; echo '  at line 3'; exit 7", log)
    child.start()
    with pytest.raises(ProcessDied) as told:
        child.wait_ready(lambda: False, timeout_s=10)
    assert str(told.value) == (
        f"the child ended with exit status 7: error: no such file: model.onnx (log: {log})"
    )


def test_a_death_by_signal_is_named(log: Path) -> None:
    child = shell("kill -SEGV $$", log)
    child.start()
    with pytest.raises(ProcessDied, match="signal SIGSEGV"):
        child.wait_ready(lambda: False, timeout_s=10)


def test_a_program_that_is_not_there(log: Path) -> None:
    child = ChildProcess("the child", ["no-such-program"], env=ENV, log=log)
    child.start()
    with pytest.raises(ProcessDied, match="no-such-program: No such file or directory"):
        child.wait_ready(lambda: False, timeout_s=10)


def test_not_ready_in_time(sleeper: ChildProcess) -> None:
    sleeper.start()
    with pytest.raises(NotReady, match=r"was not ready after 0\.1 s"):
        sleeper.wait_ready(lambda: False, timeout_s=0.1)
    assert sleeper.running


def test_a_deaf_child_is_killed_after_the_grace(log: Path) -> None:
    child = shell(STUBBORN, log)
    child.start()
    child.wait_ready(lambda: "deaf" in log.read_text(), timeout_s=10)
    started = time.monotonic()
    child.stop(grace_s=0.2)
    assert 0.2 <= time.monotonic() - started < 5
    assert gone(child.pid)


def test_what_the_child_started_ends_with_it(log: Path) -> None:
    child = shell("sleep 60 & echo $!; exec sleep 61", log)
    child.start()
    child.wait_ready(lambda: log.read_text().strip().isdigit(), timeout_s=10)
    grandchild = int(log.read_text())
    child.stop()
    assert wait_for(lambda: gone(grandchild))


def test_can_be_killed_and_started_again(sleeper: ChildProcess) -> None:
    sleeper.start()
    first = sleeper.pid
    sleeper.kill()
    assert not sleeper.running
    sleeper.start()
    assert sleeper.running
    assert sleeper.pid != first


def test_nothing_of_our_environment_reaches_it(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWALL_TEST_SECRET", "1")
    child = shell("env; echo done", log)
    child.start()
    with pytest.raises(ProcessDied):
        child.wait_ready(lambda: False, timeout_s=10)
    assert "SEAWALL_TEST_SECRET" not in log.read_text()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_dead_parent_takes_its_children_along(how: signal.Signals, tmp_path: Path) -> None:
    program = f"""
import time
from pathlib import Path
from scripts.system.process import ChildProcess
child = ChildProcess("c", ["sleep", "60"], env={ENV!r}, log=Path({str(tmp_path / "log")!r}))
child.start()
child.wait_ready(lambda: Path(f"/proc/{{child.pid}}/comm").read_text() == "sleep\\n", timeout_s=10)
print(child.pid, flush=True)
time.sleep(60)
"""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'protos'}"}
    with subprocess.Popen(
        [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert not gone(child)
        parent.send_signal(how)
        parent.wait(10)
    assert wait_for(lambda: gone(child))
