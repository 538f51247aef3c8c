"""One request, top to bottom: route, texts, decisions, upstream, answer.

Knows ASGI messages and the gateway's parts; what to shorten and how is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from urllib.parse import unquote

import aiohttp
from multidict import CIMultiDict
from starlette.types import Receive, Scope, Send

from policies.config import Route, Upstream
from policies.routes import Choice, InvalidOverrideError, find_route, override
from policies.skip import Skip
from proxy.capture import Capture
from proxy.credentials import caller_hash
from proxy.dialects import chat
from proxy.errors import BadOverrideError, UnknownRouteError
from proxy.gateway import Gateway
from proxy.record import Record
from proxy.recovery import Recovering, relay_recovered
from proxy.shortening import Shortening, without_tags
from proxy.streaming import HangUp, decompress, iterate_body, read_body, relay
from proxy.upstream import request_headers, response_headers
from proxy.usage import UsageReader

_SMALL_BODY_BYTES = 2**20

Body = bytes | AsyncIterator[bytes] | None


class Exchange:
    """A request on its way up and its answer on the way back."""

    def __init__(
        self,
        gateway: Gateway,
        scope: Scope,
        receive: Receive,
        send: Send,
        record: Record,
        capture: Capture | None,
    ) -> None:
        self._gateway = gateway
        self._scope = scope
        self._receive = receive
        self._send = send
        self._record = record
        self._capture = capture
        self._path: str = scope["raw_path"].decode("latin-1")
        self._headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        self._recovering: Recovering | None = None
        self.hang_up = HangUp(receive)

    async def run(self) -> None:
        """Serve the request; raises `LaconicError` as long as no answer has begun."""
        route = self._route()
        body: Body
        texts: chat.ChatBody | None = None
        if self._is_chat() and (self._is_of_interest(route) or self._capture is not None):
            body, texts = await self._read_chat(route)
            if texts is not None:
                route = self._route(texts.model)
        else:
            body = await self._read()
        choice = self._record.choice = self._choose(route)
        if texts is not None and choice.policy is not None and choice.policy.looks_at_tools:
            texts = texts.with_tools()
        if texts is None:
            await self._forward(body, choice)
        elif choice.mode == "shadow":
            await self._forward_rehearsing(body, texts, choice)
        elif choice.mode == "on":
            shortening = Shortening(self._gateway, choice, texts, self._headers, self._record)
            body = self._replaced(body, texts, await shortening.texts())
            self._recovering = shortening.recovering()
            await self._forward(body, choice, shortening)
        else:
            await self._forward(self._tidied(body, texts, route), choice)

    async def _forward_rehearsing(self, body: Body, texts: chat.ChatBody, choice: Choice) -> None:
        """Send the original, and meanwhile find out what would have been sent."""
        shortening = Shortening(self._gateway, choice, texts, self._headers, self._record)
        rehearsal = asyncio.create_task(shortening.rehearse())
        try:
            await self._forward(self._tidied(body, texts, choice.route), choice)
            self.hang_up.stop()  # the caller has its answer and may go
            await rehearsal
        finally:
            rehearsal.cancel()

    def _tidied(self, body: Body, texts: chat.ChatBody, route: Route) -> Body:
        """The body without the markup that the route speaks of."""
        return self._replaced(body, texts, without_tags(texts)) if route.tags else body

    def _is_of_interest(self, route: Route) -> bool:
        """Whether anything depends on what a chat request says."""
        return route.policy is not None or "policy" in route.overrides or self._gateway.routes_by_model

    def _is_chat(self) -> bool:
        return self._scope["method"] == "POST" and self._path.endswith(chat.SUFFIX)

    def _route(self, model: str | None = None) -> Route:
        route = find_route(
            self._gateway.config.routes, self._path, self._headers, model, lambda: caller_hash(self._headers)
        )
        if route is None or _climbs(self._path):
            raise UnknownRouteError(
                f"no route for {self._scope['method']} on this path with these headers and model"
            )
        return route

    async def _read_chat(self, route: Route) -> tuple[bytes, chat.ChatBody | None]:
        """A chat request's body, and the texts in it unless nobody looks at them or its encoding isn't read here."""
        limit = self._gateway.config.max_body_bytes
        body = await read_body(self._receive, limit, self._length() or 0)
        self.hang_up.watch()
        plain = decompress(body, self._headers.get("content-encoding", "").lower(), limit)
        if plain is None:
            self._record.skip(Skip.CONTENT_ENCODING)
            return body, None
        if self._capture is not None:
            self._capture.write(self._gateway.config, self._path, self._headers, plain)
        return body, chat.parse(plain) if self._is_of_interest(route) else None

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

    def _replaced(self, body: Body, texts: chat.ChatBody, changed: Mapping[int, str]) -> Body:
        if not changed:
            return body
        self._headers.pop("content-encoding", None)
        return texts.with_texts(changed)

    async def _forward(self, body: Body, choice: Choice, shortening: Shortening | None = None) -> None:
        """Send the request up and relay the answer."""
        route, record = choice.route, self._record
        upstream = self._gateway.config.upstreams[route.upstream]
        headers, target = self._toward(upstream, body, route)
        started = time.perf_counter()
        response = await self._gateway.client.send(upstream, self._scope["method"], target, headers, body)
        try:
            record.upstream_s = time.perf_counter() - started
            record.status = response.status
            if shortening is not None:
                await shortening.settle()
            answer_headers = response_headers(response) + record.headers()
            reader = _usage_reader(response) if choice.mode != "off" else None
            watch = reader.feed if reader is not None else None
            if self._recovering is None:
                failure = await relay(response, answer_headers, self._send, watch)
            else:
                failure = await relay_recovered(self._recovering, response, answer_headers, self._send, watch)
            record.failure = record.failure or failure
            record.usage = reader.usage() if reader is not None else None
        except BaseException:
            response.close()  # the upstream must stop working for an answer that nobody reads
            raise
        response.release()
        if shortening is not None:
            self.hang_up.stop()  # the caller has its answer and may go
            await shortening.count()
            if record.status == HTTPStatus.OK and response.content_type == "text/event-stream":
                self._gateway.speeds.add(
                    route.upstream, record.model, record.prompt_tokens, record.upstream_s
                )

    def _toward(self, upstream: Upstream, body: Body, route: Route) -> tuple[CIMultiDict[str], str]:
        """Headers and target of the request to the upstream."""
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
        return headers, target


def _usage_reader(response: aiohttp.ClientResponse) -> UsageReader:
    headers = response.headers
    return UsageReader(headers.get("content-type", ""), headers.get("content-encoding", ""))


def _climbs(path: str) -> bool:
    """Whether a path would leave the upstream's base_url."""
    return (".." in path or "%" in path) and ".." in unquote(path).split("/")
