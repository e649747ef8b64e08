"""Whether a service can do its work now, part by part."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from pipeline.errors import SeawallError

Check = Callable[[], Awaitable[bool]]

_log = structlog.get_logger(__name__)


class Readiness:
    """Asks every part in turn; a service is ready when all of them are, and never again once it drains."""

    def __init__(
        self, checks: Mapping[str, Check], *, timeout_s: float, settings: Mapping[str, str] | None = None
    ) -> None:
        """Takes the checks by part, and the setting that says where a part is, for the log."""
        self._checks = checks
        self._settings = settings or {}
        self._timeout_s = timeout_s
        self._parts = dict.fromkeys(checks, False)
        self._told: dict[str, bool] = {}
        self.draining = False

    @property
    def ready(self) -> bool:
        """Whether every part was there when last asked, and the service does not drain."""
        return not self.draining and all(self._parts.values())

    @property
    def parts(self) -> Mapping[str, bool]:
        """Each part, and whether it was there when last asked."""
        return self._parts

    async def refresh(self) -> bool:
        """Asks all parts at once; a part that does not answer in time counts as away."""
        reasons = await asyncio.gather(*(self._why_not(check) for check in self._checks.values()))
        for part, reason in zip(self._checks, reasons, strict=True):
            there = self._parts[part] = reason is None
            if self._told.get(part) != there:
                self._told[part] = there
                if there:
                    _log.info("part_ready", part=part)
                else:
                    _log.warning("part_not_ready", part=part, reason=reason, **self._hint(part))
        return self.ready

    def _hint(self, part: str) -> Mapping[str, str]:
        return {"setting": self._settings[part]} if part in self._settings else {}

    async def _why_not(self, check: Check) -> str | None:
        try:
            there = await asyncio.wait_for(check(), self._timeout_s)
        except SeawallError as error:  # ours say nothing that a log may not hold
            return str(error)
        except Exception as error:  # noqa: BLE001  # whatever a check raises, the part is not ready
            return type(error).__name__
        return None if there else "it says that it is not ready"
