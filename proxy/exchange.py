"""One request, top to bottom: route, texts, decisions, upstream, answer.

Knows ASGI messages and the gateway's parts; what to shorten and how is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from urllib.parse import unquote

from starlette.types import Receive, Scope, Send

from policies.plan import Skip, Text, arrival_groups
from policies.routes import Choice, InvalidOverrideError, choice_of, find_route, override
from proxy.dialects import chat
from proxy.errors import BadOverrideError, UncompressedError, UnknownRouteError
from proxy.gateway import Gateway
from proxy.record import Record
from proxy.store.decision import Decision
from proxy.streaming import HangUp, decompress, iterate_body, read_body, relay
from proxy.upstream import request_headers, response_headers

_log = logging.getLogger("laconic.exchange")
_SMALL_BODY_BYTES = 2**20

Body = bytes | AsyncIterator[bytes] | None


class Exchange:
    """A request on its way up and its answer on the way back."""

    def __init__(self, gateway: Gateway, scope: Scope, receive: Receive, send: Send, record: Record) -> None:
        self._gateway = gateway
        self._scope = scope
        self._receive = receive
        self._send = send
        self._record = record
        self._path: str = scope["raw_path"].decode("latin-1")
        self._headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        self.hang_up = HangUp(receive)

    async def run(self) -> None:
        """Serve the request; raises `LaconicError` as long as no answer has begun."""
        body, texts = await self._read()
        choice = self._record.choice = self._choose(texts.model if texts else None)
        shadow: asyncio.Task[None] | None = None
        if texts is not None and texts.slots and choice.mode == "on":
            body = await self._shorten(body, texts, choice)
        elif texts is not None and texts.slots and choice.mode == "shadow":
            shadow = asyncio.create_task(self._rehearse(texts, choice))
        try:
            await self._forward(body, choice)
            if shadow is not None:
                await shadow
        finally:
            if shadow is not None:
                shadow.cancel()

    async def _read(self) -> tuple[Body, chat.ChatBody | None]:
        """The body, and the texts in it if this is a chat request that a policy may concern."""
        length = self._headers.get("content-length")
        is_chat = self._scope["method"] == "POST" and self._path.endswith(chat.SUFFIX)
        if is_chat and self._gateway.reads_chats(self._path, self._headers):
            limit = self._gateway.config.max_body_bytes
            body = await read_body(self._receive, limit, int(length) if length and length.isdigit() else 0)
            self.hang_up.watch()
            plain = decompress(body, self._headers.get("content-encoding", "").lower(), limit)
            if plain is None:
                self._record.skips[Skip.CONTENT_ENCODING] = 1
            return body, None if plain is None else chat.parse(plain)
        if length is not None and length.isdigit() and int(length) <= _SMALL_BODY_BYTES:
            body = await read_body(self._receive, _SMALL_BODY_BYTES)
        elif length is not None or "transfer-encoding" in self._headers:
            return iterate_body(self._receive, done=self.hang_up.watch), None
        else:
            body = b""
        self.hang_up.watch()
        return body or None, None

    def _choose(self, model: str | None) -> Choice:
        config = self._gateway.config
        route = find_route(config.routes, self._path, self._headers, model)
        if route is None or ".." in unquote(self._path).split("/"):
            raise UnknownRouteError(
                f"no route for {self._scope['method']} on this path with these headers and model"
            )
        try:
            return override(choice_of(route, config), config, self._headers)
        except InvalidOverrideError as error:
            raise BadOverrideError(str(error)) from error

    async def _shorten(self, body: Body, texts: chat.ChatBody, choice: Choice) -> Body:
        """The body to send; the very one received if no text changes."""
        decisions = await self._decide(texts, choice)
        if choice.policy is not None and choice.policy.on_failure == "reject":
            failed = next((d.skip for d in decisions if d.skip is not None and d.skip.is_failure), None)
            if failed is not None:
                raise UncompressedError(f"a text could not be shortened: {failed}")
        changed = {
            number: decision.render(slot.text)
            for number, (slot, decision) in enumerate(zip(texts.slots, decisions, strict=False))
            if decision.bounds is not None
        }
        if not changed:
            return body
        self._headers.pop("content-encoding", None)
        return texts.with_texts(changed)

    async def _rehearse(self, texts: chat.ChatBody, choice: Choice) -> None:
        """Decide and record while the original is on its way."""
        decisions = await self._decide(texts, choice)
        self._record.shadow_saved_tokens = self._record.saved_tokens
        self._record.sent_tokens = self._record.original_tokens
        self._record.skips[Skip.SHADOW] += sum(decision.skip is None for decision in decisions)

    async def _decide(self, texts: chat.ChatBody, choice: Choice) -> Sequence[Decision]:
        """A decision for each text, none at all if something unforeseen happens; and the record of it."""
        record = self._record
        groups = arrival_groups(texts.roles)
        order = self._gateway.order(choice, texts.model, self._headers)
        started = time.perf_counter()
        try:
            decisions = await self._gateway.pipeline.decide(
                [Text(slot.role, slot.text, groups[slot.message]) for slot in texts.slots], order
            )
        except Exception as error:
            _log.exception("the pipeline failed")
            record.failure = f"pipeline_{type(error).__name__}"
            decisions = []
            record.skips[Skip.FAILED] += len(texts.slots)
        record.compress_s = time.perf_counter() - started
        record.model, record.texts = texts.model, len(texts.slots)
        record.compressor = self._gateway.config.compressors[order.policy.compressor].method
        for decision in decisions:
            record.original_tokens += decision.original_tokens
            record.sent_tokens += decision.sent_tokens
            if decision.skip is not None:
                record.skips[decision.skip] += 1
        return decisions

    async def _forward(self, body: Body, choice: Choice) -> None:
        """Send the request up and relay the answer."""
        route = choice.route
        upstream = self._gateway.config.upstreams[route.upstream]
        key = route.api_key or upstream.api_key
        headers = request_headers(self._scope["headers"], key.get_secret_value() if key else None)
        if "content-encoding" not in self._headers:
            headers.pop("content-encoding", None)
        if isinstance(body, bytes):
            headers["content-length"] = str(len(body))
        target = self._path[len(route.path) :]
        if self._scope["query_string"]:
            target += "?" + self._scope["query_string"].decode("latin-1")
        started = time.perf_counter()
        response = await self._gateway.client.send(upstream, self._scope["method"], target, headers, body)
        try:
            self._record.upstream_s = time.perf_counter() - started
            self._record.status = response.status
            failure = await relay(response, response_headers(response) + self._record.headers(), self._send)
            self._record.failure = self._record.failure or failure
        except BaseException:
            response.close()  # the upstream must stop working for an answer that nobody reads
            raise
        response.release()
