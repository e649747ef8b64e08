"""`ChildProcess`: a program that this process starts, watches and stops, and that never outlives it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pipeline.errors import StartupFailed
from scripts.system.log import last_words

_LAUNCH = Path(__file__).with_name("launch.py")
_POLL_S = 0.02


class ProcessDied(StartupFailed):
    """A process ended by itself; the message says how, and what its log says last."""


class NotReady(StartupFailed):
    """A process runs but did not become ready in time."""


class ChildProcess:
    """One program in its own process group, so that a Ctrl-C in the terminal reaches only its parent.

    The kernel sends it SIGTERM when the thread that called `start` ends, however that happens: call it from a
    thread that lives as long as the program should, usually the main one. Only what `start` started is ever
    signalled. It can be started again after it has ended.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        log: Path,
        cwd: Path | None = None,
        keep_open: Sequence[int] = (),
        niceness: int | None = None,
    ) -> None:
        """Takes the program.

        Args:
            name: what people call it, for messages.
            command: program and arguments.
            env: its whole environment; nothing is inherited.
            log: gets its output; added to, so that a second start keeps what the first one said.
            cwd: where it runs.
            keep_open: file descriptors that it inherits, such as a lock that it is to hold.
            niceness: at least so much of it, of a program that yields to others on the same processors;
                None leaves it among equals.
        """
        self.name = name
        self.log = log
        self._command = tuple(command)
        self._env = dict(env)
        self._cwd = cwd
        self._keep_open = tuple(keep_open)
        self._niceness = niceness
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process id, which is its process group's too; 0 before the first start."""
        return self._process.pid if self._process else 0

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None and not has_ended(self.pid)

    def start(self) -> None:
        """Starts it and returns at once.

        Raises:
            StartupFailed: it runs already.
        """
        if self.running:
            raise StartupFailed(f"{self.name} runs already")
        self._reap()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_LAUNCH), str(os.getpid()), *self._command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._env,
                cwd=self._cwd,
                # A session has a process group of its own, too.
                process_group=0 if self._niceness is None else None,
                start_new_session=self._niceness is not None,
                pass_fds=self._keep_open,
            )
        if self._niceness is not None:
            _let_others_first(self.pid, self._niceness)

    def wait_ready(self, is_ready: Callable[[], bool], *, timeout_s: float) -> None:
        """Blocks until `is_ready` says so; it is asked some 50 times a second and must not raise.

        Raises:
            ProcessDied: it ended instead.
            NotReady: it did not become ready in time; it is still running.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            self.check()
            if is_ready():
                return
            if time.monotonic() > deadline:
                raise NotReady(self._tell(f"{self.name} was not ready after {timeout_s:g} s"))
            time.sleep(_POLL_S)

    def check(self) -> None:
        """Returns if it runs.

        Raises:
            ProcessDied: it does not.
        """
        if self._process is None:
            raise ProcessDied(f"{self.name} was not started")
        if not self.running:
            status = self._reap()
            raise ProcessDied(self._tell(f"{self.name} ended with {_told(status)}"))

    def stop(self, *, grace_s: float = 15.0) -> bool:
        """Ends it with SIGTERM, after `grace_s` with SIGKILL; blocks until it has ended.

        Whether SIGTERM was enough.
        """
        if self.running:
            os.kill(self.pid, signal.SIGTERM)
            deadline = time.monotonic() + grace_s
            while self.running and time.monotonic() < deadline:
                time.sleep(_POLL_S)
        ended = not self.running
        self._reap()
        return ended

    def kill(self) -> None:
        """Ends it, and what it started in its process group, with SIGKILL, as a crash would."""
        self._reap()

    def send_signal(self, number: signal.Signals) -> None:
        """Sends it a signal, such as SIGSTOP; nothing happens when it has ended."""
        if self.running:
            os.kill(self.pid, number)

    def _reap(self) -> int:
        """Kills whatever is left of its process group, then takes its exit status.

        Until then the kernel keeps the number of the ended process, and with it the group's, from being given
        to anybody else's: so the signal cannot hit a stranger.
        """
        if self._process is None:
            return 0
        if self._process.returncode is None:
            os.killpg(self.pid, signal.SIGKILL)
        return self._process.wait()

    def _tell(self, what: str) -> str:
        said = last_words(self.log)
        return f"{what}: {said} (log: {self.log})" if said else f"{what} (log: {self.log})"


def _let_others_first(pid: int, niceness: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.setpriority(os.PRIO_PROCESS, pid, max(niceness, os.getpriority(os.PRIO_PROCESS, pid)))
    # Where the kernel weighs sessions against one another, priorities count within each alone.
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(niceness))


def has_ended(pid: int) -> bool:
    """Whether a child of this process has ended; its status stays there to be taken."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _told(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
