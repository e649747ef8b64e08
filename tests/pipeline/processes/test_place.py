"""Which of a service's processes one is, as its command line says."""

from __future__ import annotations

import sys
from pathlib import Path

from pipeline.processes.place import Place, workers


def test_a_command_line_leads_back_to_its_place() -> None:
    place = Place("worker-2", Path("/tmp/sockets"))  # noqa: S108  # nothing is made there
    program, *arguments = place.command
    assert program == sys.executable
    assert Place.of(arguments) == place


def test_a_service_that_is_started_has_no_place() -> None:
    assert Place.of(["ingest"]) is None


def test_workers_are_numbered_from_one() -> None:
    assert workers(2) == ("worker-1", "worker-2")
