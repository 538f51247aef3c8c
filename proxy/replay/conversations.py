"""Recorded requests, turn by turn. Knows no files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

PATH = "/v1/chat/completions"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request as it was recorded."""

    turn: int
    body: Mapping[str, Any]
    path: str = PATH
    headers: Mapping[str, str] = field(default_factory=dict)
    time_s: float | None = None
    """When it was sent, in Unix time."""
    key: str = ""
    """The hash of the caller's key, where a route looked at it."""

    @property
    def model(self) -> str:
        """The model that it asks."""
        return str(self.body.get("model", ""))


@dataclass(frozen=True, slots=True)
class Conversation:
    """Requests of which each goes on where the one before ended."""

    traffic: str
    """Name of the file that it comes from."""
    name: str
    requests: Sequence[Recorded]


def times_s(conversations: Sequence[Conversation], gap_s: float) -> list[list[float]]:
    """When each request is taken to be sent: as recorded where all its conversation's times are known and ascend.

    Elsewhere each comes `gap_s` after the one before, the first of a conversation after the last of the one before.
    """
    result: list[list[float]] = []
    clock_s = 0.0
    for conversation in conversations:
        recorded = [request.time_s for request in conversation.requests]
        known = [time_s for time_s in recorded if time_s is not None]
        if len(known) < len(recorded) or known != sorted(known):
            known = [clock_s + gap_s * number for number in range(len(recorded))]
            clock_s = known[-1] + gap_s
        result.append(known)
    return result


class Threads:
    """Tells which conversation a request belongs to: the one whose last messages its own begin with."""

    def __init__(self) -> None:
        self._open: dict[bytes, str] = {}
        """The name of each conversation under the digest of its last request's messages."""

    def place(self, messages: Sequence[Any], name: str) -> str:
        """The name of the conversation that goes on with `messages`; else a new one begins, called `name`."""
        digests = list(_digests(messages))
        for digest in reversed(digests[:-1]):
            if digest in self._open:
                name = self._open.pop(digest)
                break
        self._open[digests[-1] if digests else b""] = name
        return name


def _digests(messages: Sequence[Any]) -> Sequence[bytes]:
    """A digest for the messages up to each."""
    state = blake2b(digest_size=16)
    digests: list[bytes] = []
    for message in messages:
        state.update(json.dumps(message, sort_keys=True).encode())
        digests.append(state.digest())
    return digests
