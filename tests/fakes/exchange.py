"""One request to the fake upstream, and the means to answer it well or badly.

Owns what was received and the ways to write to (or break) the connection. Knows nothing of OpenAI.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

Header = tuple[bytes, bytes]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Request:
    """What arrived, byte for byte."""

    method: str
    target: bytes
    """Path and query as they stood in the request line."""
    headers: list[Header]
    """In the order of arrival, duplicates included; names in lower case."""
    body: bytes
    """Before any content decoding."""
    client_port: int
    """Tells connections apart: two requests over one connection share it."""
    arrived_at: float
    """`time.monotonic()` when the whole body had been read, in seconds."""

    def header(self, name: str) -> str | None:
        """The first value of a header, or None."""
        wanted = name.lower().encode()
        return next((value.decode("latin-1") for key, value in self.headers if key == wanted), None)

    def json(self) -> Any:
        """The decoded body; None where it is no JSON."""
        body = gzip.decompress(self.body) if self.header("content-encoding") == "gzip" else self.body
        try:
            return json.loads(body)
        except ValueError:
            return None


class Exchange:
    """A request and the connection its answer goes to."""

    def __init__(
        self, request: Request, send: Send, transport: asyncio.Transport, event_delay_s: float
    ) -> None:
        self.request = request
        self.event_delay_s = event_delay_s
        self._send = send
        self._transport = transport

    async def start(self, status: int = 200, headers: Iterable[Header] = ()) -> None:
        """Send the status line and headers; chunked unless the headers hold a content-length."""
        await self._send({"type": "http.response.start", "status": status, "headers": list(headers)})

    async def write(self, data: bytes) -> None:
        """Send a piece of the body."""
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def finish(self) -> None:
        """End the body properly."""
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def respond(self, status: int, body: bytes, headers: Iterable[Header] = ()) -> None:
        """Send a whole response with a content-length."""
        await self.start(status, [*headers, (b"content-length", str(len(body)).encode())])
        await self.write(body)
        await self.finish()

    async def respond_json(self, payload: Any, status: int = 200, headers: Iterable[Header] = ()) -> None:
        """Send a whole JSON response."""
        body = json.dumps(payload).encode()
        await self.respond(status, body, [(b"content-type", b"application/json"), *headers])

    def write_raw(self, data: bytes) -> None:
        """Put bytes on the wire past the HTTP server."""
        self._transport.write(data)

    def close(self) -> None:
        """Close the connection in good order (FIN) with the response unfinished."""
        self._transport.close()

    async def reset(self) -> None:
        """Reset the connection (RST), once the client has had time to read what was sent before."""
        await asyncio.sleep(0.05)
        connection: socket.socket = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()
