"""An answer on its way back through recovery: a completion as a whole, a stream event by event.

Knows ASGI messages and what a caller must never notice: a failure here relays the original bytes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import aiohttp
from starlette.types import Message, Send

from proxy.dialects.chat_answers import parse_completion
from proxy.metrics import FAILURES
from proxy.recovered_events import RecoveredEvents
from proxy.store.decision import Decision
from proxy.streaming import relay
from proxy.upstream import HeaderPairs

if TYPE_CHECKING:
    from compressors import recover

_log = logging.getLogger("laconic.recovery")
_LARGEST_COMPLETION = 8 * 2**20

Recovering = asyncio.Future["recover.Recovery"]


def prepare(texts: Sequence[str], decisions: Sequence[Decision]) -> Recovering | None:
    """Begin to index what was dropped from a request's texts, in a thread, while the upstream works.

    None if nothing was shortened.
    """
    if all(decision.skip is not None for decision in decisions):
        return None
    return asyncio.get_running_loop().run_in_executor(None, _recovery, texts, decisions)


def _recovery(texts: Sequence[str], decisions: Sequence[Decision]) -> recover.Recovery:
    from compressors import recover

    return recover.Recovery(
        (text, [(0, len(text))] if decision.spans is None else [(s.start, s.stop) for s in decision.spans])
        for text, decision in zip(texts, decisions, strict=True)
    )


async def relay_recovered(
    recovering: Recovering,
    response: aiohttp.ClientResponse,
    headers: HeaderPairs,
    send: Send,
    watch: Callable[[bytes], None] | None,
) -> str:
    """As `relay`, with the answer's texts recovered where it is a completion or a stream that can be read."""
    through = _RecoveringSend(send, recovering)
    try:
        return await relay(response, headers, through, watch)
    except Exception:
        await through.surrender()
        raise
    finally:
        through.close()


class _RecoveringSend:
    """Stands between the relay and the server's `send`."""

    def __init__(self, send: Send, recovering: Recovering) -> None:
        self._send = send
        self._recovering = recovering
        self._turn = asyncio.Lock()  # between the relay and the timer
        self._start: Message | None = None  # of a completion that isn't complete
        self._body = bytearray()
        self._events: RecoveredEvents | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._release: asyncio.Task[None] | None = None

    async def __call__(self, message: Message) -> None:
        """Take a message of the answer (ASGI)."""
        async with self._turn:
            if message["type"] == "http.response.start":
                await self._begin(message)
            elif self._start is not None:
                await self._collect(message)
            elif self._events is not None:
                await self._pass(self._events, message)
            else:
                await self._send(message)

    async def surrender(self) -> None:
        """The answer broke off: pass on what there is of a completion, so that it breaks off for the caller too."""
        if self._start is not None:
            await self._send_collected(more=True)

    def close(self) -> None:
        """Stop the timer."""
        for waiting in (self._timer, self._release):
            if waiting is not None:
                waiting.cancel()

    async def _begin(self, message: Message) -> None:
        headers = dict(message["headers"])
        kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        readable = message["status"] < 300 and headers.get(b"content-encoding", b"identity") == b"identity"
        if readable and kind == b"application/json":
            self._start = message
            return
        if readable and kind == b"text/event-stream":
            try:
                self._events = RecoveredEvents(await self._recovering)
            except Exception as error:
                _count(error)
            else:
                pairs = [pair for pair in message["headers"] if pair[0] != b"content-length"]
                message = {**message, "headers": pairs}
        await self._send(message)

    async def _collect(self, message: Message) -> None:
        """Keep the next part of a completion; recover and send all of it after the last one."""
        self._body += message["body"]
        if message["more_body"] and len(self._body) <= _LARGEST_COMPLETION:
            return
        if not message["more_body"]:
            try:
                recovery = await self._recovering
                self._body[:] = await asyncio.to_thread(_recovered_completion, bytes(self._body), recovery)
            except Exception as error:
                _count(error)
        await self._send_collected(message["more_body"])

    async def _send_collected(self, more: bool) -> None:
        start, body, self._start = self._start, bytes(self._body), None
        assert start is not None
        if not more:
            length = b"%d" % len(body)
            start["headers"] = [(n, length if n == b"content-length" else v) for n, v in start["headers"]]
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def _pass(self, events: RecoveredEvents, message: Message) -> None:
        more: bool = message["more_body"]
        body = self._guarded(lambda: events.feed(message["body"], _now(), last=not more), events)
        if not more:
            self._events = None
        self._set_timer()
        await self._send({**message, "body": body})

    def _guarded(self, step: Callable[[], bytes], events: RecoveredEvents) -> bytes:
        """What a step gives; if it fails, what came, and nothing is recovered any more."""
        try:
            return step()
        except Exception as error:
            _count(error)
            self._events = None
            return events.surrender()

    def _set_timer(self) -> None:
        deadline = self._events.deadline if self._events is not None else None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if deadline is not None:
            self._timer = asyncio.get_running_loop().call_at(deadline, self._expire)

    def _expire(self) -> None:
        self._release = asyncio.create_task(self._send_expired())

    async def _send_expired(self) -> None:
        async with self._turn:
            events = self._events
            if events is None:
                return
            body = self._guarded(lambda: events.expire(_now()), events)
            self._set_timer()
            if body:
                await self._send({"type": "http.response.body", "body": body, "more_body": True})


def _now() -> float:
    return asyncio.get_running_loop().time()


def _recovered_completion(body: bytes, recovery: recover.Recovery) -> bytes:
    answer = parse_completion(body)
    if answer is None:
        return body
    texts = {}
    for number, said in enumerate(answer.choices):
        if said.content is not None and (text := recovery.recover(said.content.text)) != said.content.text:
            texts[number] = text
    return answer.with_contents(texts) if texts else body


def _count(error: Exception) -> None:
    FAILURES.labels("recover").inc()
    _log.error("recovery failed: %s", type(error).__name__)
