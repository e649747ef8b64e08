"""Logs: one JSON object a line, without content and without identifiers of people."""

from __future__ import annotations

import logging
import sys

import structlog

LOG_FIELDS = {
    "service": "ingest or screener",
    "event": "what happened, a fixed name in snake case",
    "level": "debug, info, warning, error",
    "timestamp": "ISO 8601, UTC",
    "logger": "the module that says it",
}
"""Fields of every line, and `part` where a service runs as several processes.

Further ones are counts, durations, entry ids, error types, names of settings.
"""


def configure_logging(*, service: str, level: str, part: str | None = None) -> None:
    """Sends every log line of the process, libraries' included, to standard output as JSON.

    `part` is which process of the service this is, where there are several.

    Not those of gRPC's core, which any caller can cause: GRPC_VERBOSITY=NONE keeps it quiet.
    """
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _adds(service, part),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _without_exception_text,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)


def _adds(service: str, part: str | None) -> structlog.types.Processor:
    def add(_logger: object, _method: str, fields: structlog.types.EventDict) -> structlog.types.EventDict:
        fields.setdefault("service", service)
        if part is not None:
            fields.setdefault("part", part)
        return fields

    return add


def _without_exception_text(
    _logger: object, _method: str, fields: structlog.types.EventDict
) -> structlog.types.EventDict:
    # An exception's text can quote what it failed on; its type cannot. Beside an exception, asyncio's further
    # lines show what was under way, and with that the text again.
    exc_info = fields.pop("exc_info", None)
    if exc_info is True:  # as structlog's `exception` leaves it
        exc_info = sys.exc_info()
    error = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    if isinstance(error, BaseException):
        fields["exc_type"] = type(error).__name__
        fields["event"] = str(fields["event"]).partition("\n")[0]
    return fields
