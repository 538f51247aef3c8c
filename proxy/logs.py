"""How log lines look: JSON for machines, short lines for a terminal. Never a word of anyone's prompt."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from typing import Any

_log = logging.getLogger("laconic")


class JsonLines(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, event, and the fields of the record."""

    def format(self, record: logging.LogRecord) -> str:
        """The line without its end."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {
            "time": f"{stamp}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["where"] = _places(record)
        return json.dumps(line, ensure_ascii=False)


class TerminalLines(logging.Formatter):
    """Time, level, event and fields, for people."""

    def format(self, record: logging.LogRecord) -> str:
        """The line without its end."""
        stamp = time.strftime("%H:%M:%S", time.localtime(record.created))
        fields = " ".join(
            f"{name}={value}" for name, value in getattr(record, "fields", {}).items() if value != {}
        )
        line = f"{stamp} {record.levelname:<7} {record.getMessage()} {fields}".rstrip()
        return f"{line}\n{_places(record)}" if record.exc_info else line


def _places(record: logging.LogRecord) -> str:
    """Where an exception came from: types and places only, because its message may quote a prompt."""
    places = []
    error = record.exc_info[1] if record.exc_info else None
    while error is not None:
        at = error.__traceback__
        while at is not None and at.tb_next is not None:
            at = at.tb_next
        where = f"{at.tb_frame.f_code.co_filename}:{at.tb_lineno}" if at is not None else "?"
        places.append(f"{type(error).__name__} at {where}")
        error = error.__cause__
    return " from ".join(places)


def watch(loop: asyncio.AbstractEventLoop) -> None:
    """Log what a task raised that nobody waits for by type and place; asyncio would quote its words, and a prompt's."""

    def handle(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        _log.error("a task failed that nobody waits for", exc_info=error)

    loop.set_exception_handler(handle)


def configure(level: int = logging.INFO) -> None:
    """Send all log lines to standard error, as JSON unless that is a terminal."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(TerminalLines() if sys.stderr.isatty() else JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("laconic").setLevel(level)
