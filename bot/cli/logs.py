"""Logging for the whole process: events with fields, as text or as JSON lines, on standard error.

A traceback is the one thing here whose words are not ours: URLs with tokens stand in vendors' errors, so it is masked.
"""

from __future__ import annotations

import json
import logging
import sys
import time

from layers.control import scrub

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""Attributes every record has; what else a record carries are the event's fields."""


def fields(record: logging.LogRecord) -> dict[str, object]:
    """The `extra` of a record."""
    return {name: value for name, value in vars(record).items() if name not in STANDARD}


class TextFormatter(logging.Formatter):
    """`10:31:02 info dispatcher.claim_failed turn=12`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and a traceback where there is one."""
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        pairs = "".join(f" {name}={value!r}" for name, value in fields(record).items())
        line = f"{clock} {record.levelname.lower():7} {record.getMessage()}{pairs}"
        return f"{line}\n{scrub(self.formatException(record.exc_info))}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """One object per line."""

    def format(self, record: logging.LogRecord) -> str:
        """The event, its fields, and a traceback where there is one."""
        event: dict[str, object] = {
            "at": record.created,
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
            **fields(record),
        }
        if record.exc_info:
            event["traceback"] = scrub(self.formatException(record.exc_info))
        return json.dumps(event, default=repr)


def set_up_logging(level: str, style: str) -> None:
    """Send everything to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for noisy in ("LiteLLM", "httpx", "asyncio", "alembic", "uvicorn.error", "mcp"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
