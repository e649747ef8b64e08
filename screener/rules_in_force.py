"""The rules in force: the reviewed file, with the deployment's own, read again when that changes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from pipeline.errors import StartupFailed
from pipeline.watched_files import WatchedFiles
from screener.heuristics import Heuristics, Rules

_PERIOD_S = 2.0
_log = structlog.get_logger(__name__)


class RulesInForce:
    """Gives the rules of now; a change that does not load leaves the old ones in force, and says so."""

    def __init__(self, custom: Path | None) -> None:
        """Loads the rules.

        Raises:
            StartupFailed: a file does not load; names file, rule, value and the allowed range.
        """
        self._custom = custom
        self._file = WatchedFiles(custom)
        self._heuristics = Heuristics(Rules.load(custom=custom))

    def current(self) -> Heuristics:
        """The rules in force."""
        return self._heuristics

    async def watch(self) -> None:
        """Looks for changes until cancelled."""
        while True:
            await asyncio.sleep(_PERIOD_S)
            await asyncio.to_thread(self.reload)

    def reload(self) -> None:
        """Reads the deployment's file again where it has changed."""
        if not self._file.changed():
            return
        try:
            self._heuristics = Heuristics(Rules.load(custom=self._custom))
            _log.info("rules_reloaded")
        except StartupFailed as error:
            _log.error("rules_not_reloaded", reason=str(error))  # a trace would tell no more
