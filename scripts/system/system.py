"""`System`: Redis, Triton, ingest and screeners on this machine, started together and stopped together."""

from __future__ import annotations

import secrets
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline.auth import Scope, digest_of
from pipeline.hand_off import HandOff
from pipeline.key_file import KeyFile, ListedKey
from scripts.system.log import last_words
from scripts.system.ports import HOST, Ports
from scripts.system.process import ProcessDied, has_ended
from scripts.system.redis import RedisAccess, RedisServer
from scripts.system.secret import kept_secret
from scripts.system.services import ROOT, SCREENER_NICENESS, Service, ServicePorts
from scripts.system.tls import SystemTls
from scripts.system.triton import TritonPorts, TritonServer

MODEL_REPOSITORY = ROOT / "model_repository"
TOKENIZER = MODEL_REPOSITORY / "e5_risk" / "tokenizer.json"
TRITON_READY_TIMEOUT_S = 180.0  # the first start of a version compiles its graph


class Part(Enum):
    """A part of the system, as people call it."""

    REDIS = "Redis"
    TRITON = "Triton"
    INGEST = "ingest"
    SCREENER = "screener"


ALL = frozenset(Part)


@dataclass(frozen=True, slots=True)
class WantedPorts:
    """Ports that somebody asked for; None takes any free one."""

    ingest: int | None = None
    screener: int | None = None
    redis: int | None = None
    triton: int | None = None


class System:
    """Starts its parts on entry and stops them in the opposite order on exit, also when the start fails.

    Every process dies with this one, whatever ends it. Logs and scratch files lie in `folder`, which goes
    away on exit unless an error ends the block: then the logs tell why.
    """

    def __init__(
        self,
        *,
        parts: frozenset[Part] = ALL,
        ports: WantedPorts | None = None,
        data_dir: Path | None = None,
        hand_off: HandOff = HandOff.STREAM,
        screeners: int = 1,
        clients: int = 1,
        settings: Mapping[str, str] | None = None,
        run_by: Sequence[str] = ("-m",),
        tls: bool = False,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Takes what to start and how.

        Args:
            parts: which parts; the others are not there, and what needs them is not ready without.
            ports: gRPC and Redis ports to use.
            data_dir: where Redis keeps its data; None starts it empty and keeps nothing.
            hand_off: the way of an event whose request asks for none; it may ask for either.
            screeners: how many; a wanted port is that of the first.
            clients: for how many clients there are keys.
            settings: environment variables of both services, over the ones that this class sets.
            run_by: as `Service` has it.
            tls: whether the parts talk over TLS, and each has a user of its own at Redis.
            report: told what is going on, one short line at a time.

        Raises:
            StartupFailed: a wanted port or the data folder is in use.
        """
        self.api_keys = tuple(secrets.token_urlsafe(24) for _ in range(clients))
        self.api_key = self.api_keys[0]
        self.admin_key = secrets.token_urlsafe(32)
        self._parts = parts
        self._report = report
        self._data_dir = data_dir
        self._stack = ExitStack()
        ports, taken = ports or WantedPorts(), Ports()
        self._redis_port = taken.take(ports.redis, name="Redis")
        self._triton_ports = TritonPorts(
            http=taken.take(name="Triton"),
            grpc=taken.take(ports.triton, name="Triton"),
            metrics=taken.take(name="Triton"),
        )
        ingest = ServicePorts(taken.take(ports.ingest, name="ingest"), taken.take(name="ingest"))
        screener_ports = [
            ServicePorts(taken.take(port, name="screener"), taken.take(name="screener"))
            for port in (ports.screener, *[None] * (screeners - 1))
        ]
        self.folder = Path(tempfile.mkdtemp(prefix="seawall-"))
        try:
            self.tls = SystemTls.made_in(self.folder / "certificates") if tls else None
            access = (
                RedisAccess.made_up(self.tls.authority if self.tls.of_redis else None) if self.tls else None
            )
            self.redis = RedisServer(
                port=self._redis_port, folder=self.folder, data_dir=data_dir, access=access
            )
            self.dedup_secret = kept_secret(data_dir)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self.triton = TritonServer(
            repository=MODEL_REPOSITORY,
            cache=ROOT / ".cache" / "seawall",
            log=self.folder / "triton.log",
            ports=self._triton_ports,
            tls=self.tls.of_triton() if self.tls else None,
        )
        key_file = self.folder / "keys.json"
        KeyFile(keys=(_admin(self.admin_key),)).write(key_file)
        environment = {
            "API_KEYS_FILE": str(key_file),
            "API_KEYS": ",".join(self.api_keys),
            "DEDUP_SECRET": self.dedup_secret,
            "LOG_LEVEL": "WARNING",
            "TRITON_GRPC_URL": self.triton.grpc_url,
            "TOKENIZER_PATH": str(TOKENIZER),
            "HANDOFF": hand_off.label,
            "HANDOFF_ALLOWED": ",".join(way.label for way in HandOff),
            "HANDOFF_API_KEYS": self.api_key,
            "SCREENER_API_KEY": self.api_key,
            "SCREENER_ADDRESSES": ",".join(f"{HOST}:{own.grpc}" for own in screener_ports),
            **({"SNAPSHOT_DIR": str(data_dir / "snapshots")} if data_dir else {}),
            **(settings or {}),
        }
        if self.tls and not self.tls.of_redis:
            report("no redis-server here has TLS: Redis is called in plain text, on this machine alone")
        of_ingest, of_screener = (
            {
                "REDIS_URL": self.redis.url_of(service),
                **(self.tls.settings_of(service) if self.tls else {}),
                **environment,
            }
            for service in ("ingest", "screener")
        )
        context = self.tls.context if self.tls else None
        self.ingest = Service(
            "ingest", ports=ingest, settings=of_ingest, folder=self.folder, run_by=run_by, context=context
        )
        self.screeners = tuple(
            Service(
                "screener",
                ports=own,
                settings=of_screener,
                folder=self.folder,
                replica=number,
                run_by=run_by,
                context=context,
                niceness=SCREENER_NICENESS,
            )
            for number, own in enumerate(screener_ports, start=1)
        )
        self._services = (
            (Part.INGEST, self.ingest),
            *((Part.SCREENER, screener) for screener in self.screeners),
        )

    @property
    def screener(self) -> Service:
        """The first screener."""
        return self.screeners[0]

    @property
    def ingest_address(self) -> str:
        """Host and port of ingest's gRPC."""
        return self.ingest.address

    @property
    def screener_address(self) -> str:
        """Host and port of the first screener's gRPC."""
        return self.screener.address

    @property
    def redis_url(self) -> str:
        """URL of Redis, with the database."""
        return self.redis.url

    def __enter__(self) -> Self:
        """Starts the parts and blocks until each is ready.

        Raises:
            StartupFailed: a part did not start; the message says which and why.
            TritonError: Triton did not.
        """
        try:
            self._start()
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops the parts; a Ctrl-C meanwhile waits until they have ended, which takes a bounded time."""
        with _interrupts_held():
            self._stack.close()
        if kind is None or not issubclass(kind, Exception):
            shutil.rmtree(self.folder, ignore_errors=True)

    def check(self) -> None:
        """Returns if every part that was started still runs.

        Raises:
            ProcessDied: one does not; the message says why.
        """
        running = [(part, service.process) for part, service in self._services]
        for part, process in ((Part.REDIS, self.redis.process), *running):
            if part in self._parts:
                process.check()
        if Part.TRITON in self._parts and (not self.triton.pid or has_ended(self.triton.pid)):
            log = self.folder / "triton.log"
            raise ProcessDied(f"Triton ended: {last_words(log)} (log: {log})")

    def _start(self) -> None:
        # Nothing here uses a thread: the kernel ties a child's life to the thread that started it.
        if Part.REDIS in self._parts:
            self._stack.callback(self.redis.stop)
            self.redis.start()
        if Part.TRITON in self._parts:
            self._report("starting Triton")
            self._stack.callback(self.triton.kill)
            self.triton.start()
        if Part.REDIS in self._parts:
            self.redis.wait_ready()
        # Ingest needs Redis alone, and comes up while Triton loads the model; so do the screener's imports.
        self._stack.callback(self._stop_services)
        for part, service in self._services:
            if part in self._parts:
                service.start()
        if Part.TRITON in self._parts:
            self.triton.wait_ready(TRITON_READY_TIMEOUT_S)
        for part, service in self._services:
            if part in self._parts:
                self._report(f"waiting for {service.process.name}")
                service.wait_ready()

    def _stop_services(self) -> None:
        for _, service in self._services:
            service.process.send_signal(signal.SIGTERM)  # all drain at once
        for _, service in self._services:
            service.stop()


def _admin(key: str) -> ListedKey:
    return ListedKey(name="admin", sha256=digest_of(key).hex(), scopes=(Scope.ADMIN, Scope.READ))


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Holds SIGINT and SIGTERM back until the end of the block."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signals = (signal.SIGINT, signal.SIGTERM)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
