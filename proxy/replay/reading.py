"""Reads recorded traffic: JSON lines, plain or in gzip, in any of three shapes.

A line is a chat-completions body; or `{"conversation", "turn", "request": body}`; or what a capture writes:
`{"time", "conversation", "path", "headers", "key", "redacted", "request": body}`, of which only the
last must be there. Errors name file and line, never what stands there.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proxy.replay.conversations import PATH, Conversation, Recorded, Threads

_CHAT = "/chat/completions"


class TrafficError(Exception):
    """A file or a line that can't be replayed; the message names it."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """One file's conversations."""

    name: str
    digest: str
    """Of the file's bytes."""
    conversations: tuple[Conversation, ...]
    left_out: int
    """Requests to other paths than chat completions."""


def read(path: Path, limit: int | None = None) -> Traffic:
    """The conversations in the file at `path`, the first `limit` of them, in the order of their first requests.

    Raises `TrafficError`; blank lines are skipped.
    """
    name = path.name.removesuffix(".gz").removesuffix(".jsonl")
    threads = Threads()
    found: dict[str, list[Recorded]] = {}
    left_out = 0
    for place, number, line in _lines(path):
        row = _parsed(line, place)
        if not str(row.get("path", PATH)).partition("?")[0].endswith(_CHAT):
            left_out += 1
            continue
        body = _body(row, place)
        label = row.get("conversation") if "request" in row else None
        if label is None:
            label = threads.place(body["messages"], f"line {number}")
        turns = found.setdefault(str(label), [])
        turns.append(_recorded(row, body, len(turns), place))
    if not found:
        raise TrafficError(f"{path}: no chat requests")
    chosen = list(found.items())[:limit]
    conversations = tuple(Conversation(name, label, tuple(turns)) for label, turns in chosen)
    return Traffic(name, hashlib.sha256(path.read_bytes()).hexdigest(), conversations, left_out)


def _lines(path: Path) -> Iterator[tuple[str, int, str]]:
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield f"{path}:{number}", number, line
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise TrafficError(
            f"{path}: not JSON lines in UTF-8, plain or gzip: {type(error).__name__}"
        ) from error


def _parsed(line: str, place: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise TrafficError(f"{place}: not JSON: {error.msg} at column {error.colno}") from error
    except RecursionError:
        raise TrafficError(f"{place}: nested too deeply") from None
    if not isinstance(row, dict):
        raise TrafficError(f"{place}: expected a JSON object, found {type(row).__name__}")
    return row


def _body(row: dict[str, Any], place: str) -> dict[str, Any]:
    body = row.get("request", row)
    if not isinstance(body, dict):
        raise TrafficError(f"{place}: request: expected an object, found {type(body).__name__}")
    where = "request.messages" if "request" in row else "messages"
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        found = (
            "nothing" if messages is None else "an empty list" if messages == [] else type(messages).__name__
        )
        raise TrafficError(f"{place}: {where}: expected a list of messages, found {found}")
    return body


def _recorded(row: dict[str, Any], body: dict[str, Any], number: int, place: str) -> Recorded:
    if "request" not in row:
        return Recorded(number, body)
    turn, time_s, headers = row.get("turn", number), row.get("time"), row.get("headers", {})
    if not isinstance(turn, int):
        raise TrafficError(f"{place}: turn: expected a whole number, found {type(turn).__name__}")
    if time_s is not None and (isinstance(time_s, bool) or not isinstance(time_s, int | float)):
        raise TrafficError(f"{place}: time: expected seconds, found {type(time_s).__name__}")
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise TrafficError(f"{place}: headers: expected an object of texts")
    return Recorded(turn, body, str(row.get("path", PATH)), headers, time_s, str(row.get("key", "")))
