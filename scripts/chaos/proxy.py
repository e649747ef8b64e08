"""`Proxy`: stands between the services and one port, and does to their connections what networks do."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, cast

from scripts.system.ports import HOST

_CHUNK = 256 * 1024


@dataclass(eq=False, slots=True)
class _Link:
    """One connection, with its two ends."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter | None = None
    answers_lost: bool = field(default=False)

    def cut(self) -> None:
        for writer in (self.near, self.far):
            if writer is not None:
                writer.transport.abort()


class Proxy:
    """Listens from entry to exit of its block, in a thread of its own, so that nothing else slows it.

    Its methods may be called from any thread.
    """

    def __init__(self, *, port: int, target_port: int) -> None:
        """Takes two ports of 127.0.0.1: its own, and the one that it leads to."""
        self.port = port
        self._target_port = target_port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._links: set[_Link] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._delay_s = 0.0
        self._losing_answers = False
        self._server: asyncio.Server | None = None

    def __enter__(self) -> Self:
        """Listens.

        Raises:
            OSError: the port is in use.
        """
        self._thread.start()
        listening = asyncio.start_server(self._serve, HOST, self.port)
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def delay(self, seconds: float) -> None:
        """From now on every call takes so much longer; 0 for no longer."""
        self._delay_s = seconds

    def lose_answers(self) -> None:
        """From now on calls arrive and are carried out, and their answers do not come back."""
        self._losing_answers = True

    def heal(self) -> None:
        """Delays and loses nothing more; connections that have lost something are cut."""
        self._delay_s, self._losing_answers = 0.0, False
        self._loop.call_soon_threadsafe(self._cut_spoiled)

    def cut(self) -> None:
        """Cuts every connection; new ones are served."""
        self._loop.call_soon_threadsafe(self._cut_all)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link(writer)
        self._links.add(link)
        serving = cast("asyncio.Task[None]", asyncio.current_task())
        self._serving.add(serving)
        try:
            far_reader, link.far = await asyncio.open_connection(HOST, self._target_port)
            there = asyncio.create_task(self._carry_calls(reader, link.far))
            back = asyncio.create_task(self._carry_answers(far_reader, link))
            _, others = await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
            for other in others:
                other.cancel()
            await asyncio.gather(there, back, return_exceptions=True)
        except OSError:
            pass  # nobody listens there: the caller finds his connection cut
        finally:
            link.cut()
            self._links.discard(link)
            self._serving.discard(serving)

    async def _carry_calls(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            if self._delay_s:
                await asyncio.sleep(self._delay_s)
            writer.write(data)
            await writer.drain()

    async def _carry_answers(self, reader: asyncio.StreamReader, link: _Link) -> None:
        while data := await reader.read(_CHUNK):
            if self._losing_answers or link.answers_lost:
                link.answers_lost = True
            else:
                link.near.write(data)
                await link.near.drain()

    def _cut_spoiled(self) -> None:
        for link in [link for link in self._links if link.answers_lost]:
            link.cut()

    def _cut_all(self) -> None:
        for link in tuple(self._links):
            link.cut()

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        self._cut_all()
        if self._serving:
            await asyncio.wait(self._serving)
