from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from pipeline.telemetry import LOG_FIELDS, configure_logging

Lines = Callable[[], list[dict[str, Any]]]
SECRET = "what somebody said"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """Logs as a service does; gives the lines logged since, each of them one JSON object."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    output = io.StringIO()
    monkeypatch.setattr("sys.stdout", output)
    configure_logging(service="ingest", level="INFO")
    yield lambda: [json.loads(line) for line in output.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_line_is_one_json_object_with_the_declared_fields(lines: Lines) -> None:
    structlog.get_logger("pipeline.server").info("started", grpc_port=1)
    [line] = lines()
    assert set(line) == {*LOG_FIELDS, "grpc_port"}
    assert (line["service"], line["event"], line["level"]) == ("ingest", "started", "info")
    assert (line["logger"], line["grpc_port"]) == ("pipeline.server", 1)
    assert line["timestamp"].endswith("Z")


def test_libraries_log_in_the_same_form(lines: Lines) -> None:
    logging.getLogger("redis").warning("lost %s", "connection")
    [line] = lines()
    assert set(line) == set(LOG_FIELDS)
    assert (line["logger"], line["event"], line["level"]) == ("redis", "lost connection", "warning")


def test_a_line_break_stays_within_its_line(lines: Lines) -> None:
    logging.getLogger("x").warning('two\nlines "quoted"')
    assert [line["event"] for line in lines()] == ['two\nlines "quoted"']


def test_what_is_below_the_level_is_not_logged(lines: Lines) -> None:
    structlog.get_logger("x").debug("detail")
    logging.getLogger("aiohttp.access").info("GET /health")
    assert lines() == []


def fail() -> None:
    raise ValueError(SECRET)


def test_an_exception_is_told_by_its_type_alone(lines: Lines) -> None:
    try:
        fail()
    except ValueError as error:
        structlog.get_logger("ours").exception("failed")
        structlog.get_logger("ours").error("failed", exc_info=error)
        logging.getLogger("theirs").exception("failed")
    logged = lines()
    assert [(line["event"], line["exc_type"]) for line in logged] == [("failed", "ValueError")] * 3
    assert SECRET not in json.dumps(logged)


def test_what_asyncio_adds_about_an_exception_is_not_logged(lines: Lines) -> None:
    # As its default handler does: further lines hold the repr of futures, and so the exception's text.
    try:
        fail()
    except ValueError:
        logging.getLogger("asyncio").exception(
            "Task exception was never retrieved\nfuture: <Task exception=ValueError(%r)>", SECRET
        )
    [line] = lines()
    assert line["event"] == "Task exception was never retrieved"
    assert line["exc_type"] == "ValueError"
    assert SECRET not in json.dumps(line)
