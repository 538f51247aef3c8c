"""Sends conversations through the proxy: the turns of each in order, several conversations at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from proxy.replay.conversations import Conversation, Recorded
from proxy.replay.recorder import NUMBER
from proxy.replay.serving import Stage

# Of the recording's connection, or of the recording's body as it was encoded.
_DROPPED = frozenset(
    (
        "host",
        "connection",
        "content-length",
        "content-encoding",
        "transfer-encoding",
        "accept-encoding",
        "expect",
    )
)
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10)


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of one request."""

    status: int
    """0 where there was no answer at all."""
    error: str
    """The error's code; empty for an answer."""
    headers: Mapping[str, str]
    """In lower case."""
    sent: Mapping[str, Any] | None
    """The body that reached the upstream; None if none did."""


def replay(
    conversations: Sequence[Conversation],
    stage: Stage,
    concurrency: int,
    done: Callable[[Conversation, Sequence[Reply]], None],
) -> None:
    """Send all `conversations`, `concurrency` at a time; `done` is called for each when its last answer is there."""
    asyncio.run(_replay(conversations, stage, concurrency, done))


async def _replay(
    conversations: Sequence[Conversation],
    stage: Stage,
    concurrency: int,
    done: Callable[[Conversation, Sequence[Reply]], None],
) -> None:
    free = asyncio.Semaphore(concurrency)

    async def one(conversation: Conversation) -> None:
        async with free:
            done(conversation, [await _send(session, stage, request) for request in conversation.requests])

    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session, asyncio.TaskGroup() as tasks:
        for conversation in conversations:
            tasks.create_task(one(conversation))


async def _send(session: aiohttp.ClientSession, stage: Stage, request: Recorded) -> Reply:
    headers = {name: value for name, value in request.headers.items() if name.lower() not in _DROPPED}
    headers["content-type"] = "application/json"
    if request.key:
        headers["authorization"] = f"Bearer {request.key}"  # stands for the key, see `serving`
    try:
        async with session.post(
            stage.origin + request.path, data=_json(request.body), headers=headers
        ) as answer:
            content = await answer.read()
    except aiohttp.ClientError as error:
        return Reply(0, type(error).__name__, {}, None)
    found = {name.lower(): value for name, value in answer.headers.items()}
    sent = stage.recorder.take(found[NUMBER]) if NUMBER in found else None
    return Reply(answer.status, "" if sent is not None else _error(content), found, sent)


def _json(body: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # a lone surrogate, which UTF-8 can't hold, stays an escape
        return json.dumps(body).encode()


def _error(content: bytes) -> str:
    try:
        return str(json.loads(content)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return "unknown"
