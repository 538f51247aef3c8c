"""One request, top to bottom: route, texts, decisions, upstream, answer.

Knows ASGI messages and the gateway's parts; what to shorten and how is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from urllib.parse import unquote

from starlette.types import Receive, Scope, Send

from policies.config import Route
from policies.groups import Text, arrival_groups
from policies.plan import Skip
from policies.routes import Choice, InvalidOverrideError, find_route, override
from policies.segments import stripped
from proxy.dialects import chat
from proxy.errors import BadOverrideError, UncompressedError, UnknownRouteError
from proxy.gateway import Gateway
from proxy.record import Record
from proxy.recovery import Recovering, prepare, relay_recovered
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
        self._recovering: Recovering | None = None
        self.hang_up = HangUp(receive)

    async def run(self) -> None:
        """Serve the request; raises `LaconicError` as long as no answer has begun."""
        route = self._route()
        body: Body
        texts: chat.ChatBody | None = None
        if self._is_chat() and (self._gateway.routes_by_model or route.policy or "policy" in route.overrides):
            body, texts = await self._read_chat()
            if texts is not None:
                route = self._route(texts.model)
        else:
            body = await self._read()
        choice = self._record.choice = self._choose(route)
        if texts is not None and choice.mode == "on":
            body = await self._shorten(body, texts, choice)
        elif texts is not None and route.tags:
            body = self._replaced(body, texts, _without_tags(texts))
        if texts is None or choice.mode != "shadow":
            await self._forward(body, choice)
        else:
            rehearsal = asyncio.create_task(self._rehearse(texts, choice))
            try:
                await self._forward(body, choice)
                self.hang_up.stop()  # the caller has its answer and may go
                await rehearsal
            finally:
                rehearsal.cancel()

    def _is_chat(self) -> bool:
        return self._scope["method"] == "POST" and self._path.endswith(chat.SUFFIX)

    def _route(self, model: str | None = None) -> Route:
        route = find_route(self._gateway.config.routes, self._path, self._headers, model)
        if route is None or _climbs(self._path):
            raise UnknownRouteError(
                f"no route for {self._scope['method']} on this path with these headers and model"
            )
        return route

    async def _read_chat(self) -> tuple[bytes, chat.ChatBody | None]:
        """A chat request's body, and the texts in it unless its encoding isn't read here."""
        limit = self._gateway.config.max_body_bytes
        body = await read_body(self._receive, limit, self._length() or 0)
        self.hang_up.watch()
        plain = decompress(body, self._headers.get("content-encoding", "").lower(), limit)
        if plain is None:
            self._record.skip(Skip.CONTENT_ENCODING)
            return body, None
        return body, chat.parse(plain)

    async def _read(self) -> Body:
        """Another request's body: at once if it is small, as it arrives if it isn't."""
        length = self._length()
        if (length is None and "transfer-encoding" in self._headers) or (length or 0) > _SMALL_BODY_BYTES:
            return iterate_body(self._receive, done=self.hang_up.watch)
        body = await read_body(self._receive, _SMALL_BODY_BYTES) if length else None
        self.hang_up.watch()
        return body

    def _length(self) -> int | None:
        length = self._headers.get("content-length", "")
        return int(length) if length.isdecimal() else None

    def _choose(self, route: Route) -> Choice:
        choice = self._gateway.choices[route.name]
        if not route.overrides:
            return choice
        try:
            return override(choice, self._gateway.config, self._headers)
        except InvalidOverrideError as error:
            raise BadOverrideError(str(error)) from error

    async def _shorten(self, body: Body, texts: chat.ChatBody, choice: Choice) -> Body:
        """The body to send; the very one received if no text changes."""
        decisions = await self._decide(texts, choice)
        if choice.policy is not None and choice.policy.on_failure == "reject":
            failed = next((d.skip for d in decisions if d.skip is not None and d.skip.is_failure), None)
            if failed is not None or len(decisions) < len(texts.slots):
                raise UncompressedError(f"a text could not be shortened: {failed or Skip.FAILED}")
        if not decisions and choice.route.tags:
            return self._replaced(body, texts, _without_tags(texts))
        shorter = {
            number: decision.render(slot.text)
            for number, (slot, decision) in enumerate(zip(texts.slots, decisions, strict=False))
            if decision.spans is not None
        }
        if choice.policy is not None and choice.policy.recover and texts.wants_text:
            self._recovering = prepare([slot.text for slot in texts.slots], decisions)
        return self._replaced(body, texts, shorter)

    def _replaced(self, body: Body, texts: chat.ChatBody, changed: Mapping[int, str]) -> Body:
        if not changed:
            return body
        self._headers.pop("content-encoding", None)
        return texts.with_texts(changed)

    async def _rehearse(self, texts: chat.ChatBody, choice: Choice) -> None:
        """Decide and record while the original is on its way."""
        decisions = await self._decide(texts, choice)
        self._record.shadow_saved_tokens = self._record.saved_tokens
        self._record.sent_tokens = self._record.original_tokens
        self._record.skip(Skip.SHADOW, sum(decision.skip is None for decision in decisions))

    async def _decide(self, texts: chat.ChatBody, choice: Choice) -> Sequence[Decision]:
        """A decision for each text, none at all if something unforeseen happens; and the record of it."""
        record = self._record
        started = time.perf_counter()
        try:
            order = self._gateway.order(choice, texts.model, self._headers)
            groups = arrival_groups(texts.roles)
            decisions = await self._gateway.pipeline.decide(
                [Text(slot.role, slot.text, groups[slot.message]) for slot in texts.slots], order
            )
        except Exception as error:
            _log.exception("the pipeline failed")
            record.failure = f"pipeline_{type(error).__name__}"
            decisions = []
            record.skip(Skip.FAILED, len(texts.slots))
        record.compress_s = time.perf_counter() - started
        record.model, record.texts = texts.model, len(texts.slots)
        if choice.policy is not None:
            record.compressor = self._gateway.config.compressors[choice.policy.compressor].method
        for decision in decisions:
            record.original_tokens += decision.original_tokens
            record.sent_tokens += decision.sent_tokens
            if decision.skip is not None:
                record.skip(decision.skip)
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
        if self._recovering is not None:
            headers["accept-encoding"] = "identity"  # an encoded answer couldn't be read
        target = self._path[len(route.path) :]
        if self._scope["query_string"]:
            target += "?" + self._scope["query_string"].decode("latin-1")
        started = time.perf_counter()
        response = await self._gateway.client.send(upstream, self._scope["method"], target, headers, body)
        try:
            self._record.upstream_s = time.perf_counter() - started
            self._record.status = response.status
            answer_headers = response_headers(response) + self._record.headers()
            if self._recovering is None:
                failure = await relay(response, answer_headers, self._send)
            else:
                failure = await relay_recovered(self._recovering, response, answer_headers, self._send)
            self._record.failure = self._record.failure or failure
        except BaseException:
            response.close()  # the upstream must stop working for an answer that nobody reads
            raise
        response.release()


def _climbs(path: str) -> bool:
    """Whether a path would leave the upstream's base_url."""
    return (".." in path or "%" in path) and ".." in unquote(path).split("/")


def _without_tags(texts: chat.ChatBody) -> dict[int, str]:
    """The texts that hold markup, without it: what a route that honours tags sends at the least."""
    plain = {number: stripped(slot.text) for number, slot in enumerate(texts.slots)}
    return {number: text for number, text in plain.items() if text != texts.slots[number].text}
