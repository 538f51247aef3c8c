"""A fake OpenAI-style upstream on a free loopback port, run by uvicorn in a background thread.

Owns the server's life and the record of what it received and of who left early. Knows no behaviour:
`behaviours` holds those.

    with FakeUpstream() as upstream:
        upstream.behaviour = "cut-event"            # or per request: {"model": "fake-cut-event"}
        httpx.post(upstream.base_url + "/chat/completions", json=...)
        assert upstream.requests[0].header("authorization") == "Bearer sk-test"
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tests.fakes import behaviours
from tests.fakes.behaviours import Behaviour
from tests.fakes.exchange import Exchange, Request, Send

Receive = Callable[[], Any]
Scope = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Departure:
    """A client that closed its connection before the response was complete."""

    request: Request
    at: float
    """`time.monotonic()`, in seconds."""


class _Protocol(HttpToolsProtocol):
    """Hands the transport to the application, which breaks connections in ways ASGI has no words for."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"transport": {"transport": self.transport}}


class FakeUpstream:
    """A context manager: the upstream answers while it is open."""

    def __init__(self) -> None:
        self.behaviour: str | Behaviour = "normal"
        """Answers every request whose model names no behaviour; may be a test's own function."""
        self.event_delay_s = 0.0
        """Pause after each streamed event."""
        self.requests: list[Request] = []
        """In the order in which their bodies were complete."""
        self.closed: list[Departure] = []
        """Clients that left before their response was complete, in that order."""
        self._changed = threading.Condition()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self.port}/v1"
        config = uvicorn.Config(
            self._app,
            http=_Protocol,
            loop="asyncio",
            interface="asgi3",
            proxy_headers=False,
            lifespan="off",
            log_config=None,
            log_level="error",
            server_header=False,
            timeout_keep_alive=60,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Close the port and break every connection; from then on the upstream refuses."""
        if self._thread.is_alive():
            self._server.servers[0].get_loop().call_soon_threadsafe(self._break_all)
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(5)
        self._socket.close()

    def _break_all(self) -> None:
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()

    def wait_for_requests(self, count: int = 1, timeout_s: float = 5.0) -> list[Request]:
        """Block until `count` requests have arrived; TimeoutError if they don't."""
        return self._wait(self.requests, count, timeout_s)

    def wait_for_closed(self, count: int = 1, timeout_s: float = 5.0) -> list[Departure]:
        """Block until `count` clients have left mid-response; TimeoutError if they don't."""
        return self._wait(self.closed, count, timeout_s)

    def _wait(self, seen: list[T], count: int, timeout_s: float) -> list[T]:
        with self._changed:
            if not self._changed.wait_for(lambda: len(seen) >= count, timeout_s):
                raise TimeoutError(f"{len(seen)} of {count} seen within {timeout_s} s")
        return list(seen)

    def _record(self, seen: list[T], item: T) -> None:
        with self._changed:
            seen.append(item)
            self._changed.notify_all()

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await _read(scope, receive)
        self._record(self.requests, request)
        transport = scope["extensions"]["transport"]["transport"]
        exchange = Exchange(request, send, transport, self.event_delay_s)
        answer = asyncio.ensure_future(self._choose(request)(exchange))
        departure = asyncio.ensure_future(receive())
        await asyncio.wait({answer, departure}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            self._record(self.closed, Departure(request, time.monotonic()))
            answer.cancel()
            return
        answer.result()
        # uvicorn tells of the end of the response or, after a break, of the lost connection: without
        # waiting for it, it would complain of an unfinished response.
        await departure

    def _choose(self, request: Request) -> Behaviour:
        body = request.json()
        model = body.get("model") if isinstance(body, dict) else None
        if isinstance(model, str) and model.removeprefix("fake-") in behaviours.BY_NAME:
            return behaviours.BY_NAME[model.removeprefix("fake-")]
        return behaviours.BY_NAME[self.behaviour] if isinstance(self.behaviour, str) else self.behaviour


async def _read(scope: Scope, receive: Receive) -> Request:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    query = scope["query_string"]
    return Request(
        method=scope["method"],
        target=scope["raw_path"] + (b"?" + query if query else b""),
        headers=scope["headers"],
        body=body,
        client_port=scope["client"][1],
        arrived_at=time.monotonic(),
    )
