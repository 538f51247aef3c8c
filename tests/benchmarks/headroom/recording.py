"""What `record.py` wrote, read back. Knows no prices."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Body = Mapping[str, Any]
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, and what a proxy made of it."""

    original: Body
    sent: Body | None
    """None where the proxy answered by itself: it costs nothing."""
    added_ms: float


Conversations = Mapping[str, Sequence[Exchange]]


@dataclass(frozen=True, slots=True)
class Recording:
    """One run of `record.py`."""

    side: str
    about: Mapping[str, Any]
    traffic: Mapping[str, Conversations]
    """By the traffic file's name."""


def read(folder: Path) -> Recording:
    """The recording in `folder`; raises OSError where there is none."""
    about = json.loads((folder / "about.json").read_text())
    names = sorted(about["seconds"])
    return Recording(about["side"], about, {name: _conversations(folder / f"{name}.jsonl") for name in names})


def _conversations(path: Path) -> Conversations:
    found: dict[str, list[Exchange]] = {}
    with path.open() as file:
        for line in file:
            row = json.loads(line)
            exchange = Exchange(row["request"], row["sent"], row["ms"])
            found.setdefault(row["conversation"], []).append(exchange)
    return found


def numbers(conversations: Conversations) -> tuple[int, int]:
    """How many different strings of digits the messages hold, summed over conversations, and how many of them are lost.

    One is lost if in some request it stands in the original messages but nowhere in those sent.
    """
    held = lost = 0
    for exchanges in conversations.values():
        before: set[str] = set()
        missing: set[str] = set()
        for exchange in exchanges:
            digits = _digits(exchange.original)
            before |= digits
            if exchange.sent is not None:
                missing |= digits - _digits(exchange.sent)
        held += len(before)
        lost += len(missing)
    return held, lost


def _digits(body: Body) -> set[str]:
    return {digits for text in _texts(body) for digits in _NUMBER.findall(text)}


def _texts(body: Body) -> Iterator[str]:
    for message in body["messages"]:
        content = message.get("content") or ()
        yield from [content] if isinstance(content, str) else (part.get("text", "") for part in content)
        yield from (call["function"]["arguments"] for call in message.get("tool_calls") or ())
