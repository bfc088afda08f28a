"""Structured logging: for people on a terminal, as JSON for machines; never a secret."""

import logging
import re
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from typing import Any, TextIO

import structlog

from core import context
from core.ports import LoggerProtocol

_SECRET = re.compile(
    r"passw(or)?d|passphrase|secret|token|authorization|credential|cookie|(api|private)[_-]?key|salt",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class ConsoleLogger:
    """`LoggerProtocol` over structlog; every line carries the trace id of its request."""

    def __init__(self, name: str = "dashtam", /, **context: Any) -> None:
        self._name, self._context = name, context
        self._logger = structlog.stdlib.get_logger(name).bind(**context)

    def debug(self, event: str, **context: Any) -> None:
        self._logger.debug(event, **context)

    def info(self, event: str, **context: Any) -> None:
        self._logger.info(event, **context)

    def warning(self, event: str, **context: Any) -> None:
        self._logger.warning(event, **context)

    def error(self, event: str, **context: Any) -> None:
        self._logger.error(event, **context)

    def critical(self, event: str, **context: Any) -> None:
        self._logger.critical(event, **context)

    def bind(self, **context: Any) -> LoggerProtocol:
        return ConsoleLogger(self._name, **{**self._context, **context})


class LineHandler(logging.StreamHandler[TextIO]):
    """A line that cannot be written is lost: whoever logs goes on, and answers."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  the name in logging
        with suppress(Exception):  # of the stream for errors, which may be the same
            super().handleError(record)


def redact_secrets(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """By the name of the key: nobody should log a secret, and one day somebody will."""
    return {key: _redacted(key, value) for key, value in event.items()}


def _redacted(key: str, value: object) -> object:
    if _SECRET.search(key):
        return "[redacted]"
    if isinstance(value, Mapping):
        return {inner: _redacted(str(inner), item) for inner, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(key, item) for item in value]
    return value


def escape_controls(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A line break in a user agent must not start a line of its own (ASVS 16.4.1)."""
    return {key: _escaped(value) for key, value in event.items()}


def _escaped(value: object) -> object:
    if not isinstance(value, str):
        return value
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), value)


def _add_trace(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    if trace_id := context.current().trace_id:
        event.setdefault("trace_id", trace_id)
    return event


# Without local variables, which structlog shows by default: a password may be among them.
_TRACEBACK = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _add_trace,
    redact_secrets,
    escape_controls,
]


def logging_config(*, level: str, json: bool, echo_sql: bool = False) -> dict[str, Any]:
    """For Django's LOGGING; libraries that log by the standard module come out alike."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_PROCESSORS,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    renderers: list[Any] = (
        [structlog.processors.ExceptionRenderer(_TRACEBACK), structlog.processors.JSONRenderer()]
        if json
        else [
            structlog.dev.ConsoleRenderer(
                colors=False, exception_formatter=structlog.dev.plain_traceback
            )
        ]
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": _PROCESSORS,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"structured": formatter},
        "handlers": {"console": {"class": "core.logging.LineHandler", "formatter": "structured"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # Its own handlers would print every line a second time, in another shape.
            "django": {"handlers": [], "propagate": True, "level": level},
            "django.server": {"handlers": [], "propagate": True, "level": level},
            # A refused request is on the audit trail; as a log line it is noise.
            "django.request": {"level": "ERROR"},
            "django.db.backends": {"level": "DEBUG" if echo_sql else "INFO"},
        },
    }
