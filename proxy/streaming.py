"""Bodies on the move: the caller's toward the upstream, the upstream's back, and the caller who hangs up."""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections.abc import AsyncIterator, Callable, Iterator

import aiohttp
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Send

from proxy.errors import BodyTooLargeError, upstream_error
from proxy.upstream import HeaderPairs

_QUIET_S = 0.05
_EVENT_END = (b"\n\n", b"\r\n\r\n", b"\r\r")


async def read_body(receive: Receive, limit: int, declared: int = 0) -> bytes:
    """The whole request body; raises `BodyTooLargeError` above `limit` bytes, `ClientDisconnect`.

    `declared` is its `content-length`: a body that says it is too large isn't read at all.
    """
    if declared > limit:
        raise BodyTooLargeError(f"the request body is larger than {limit} bytes")
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return _within(body, limit)
    chunks, size = [body], len(body)
    async for chunk in iterate_body(receive):
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            break
    return _within(b"".join(chunks), limit)


async def iterate_body(receive: Receive, done: Callable[[], None] | None = None) -> AsyncIterator[bytes]:
    """The request body as it arrives; calls `done` at its end; raises `ClientDisconnect`."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body"):
            if done is not None:
                done()
            return


def decompress(body: bytes, encoding: str, limit: int) -> bytes | None:
    """The body without its `content-encoding`; None for one that this proxy doesn't read.

    Raises `BodyTooLargeError` above `limit` bytes.
    """
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        return None
    decoder = zlib.decompressobj(47)
    try:
        plain = _within(decoder.decompress(body, limit + 1), limit)
    except zlib.error:
        return None
    return plain if decoder.eof and not decoder.unused_data else None


def _within(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise BodyTooLargeError(f"the request body is larger than {limit} bytes")
    return body


async def relay(
    response: aiohttp.ClientResponse, headers: HeaderPairs, send: Send, watch: Callable[[bytes], None] | None
) -> str:
    """Pass the upstream's answer on as it arrives, byte for byte; returns the code of a failure, or "".

    `watch`, if given, sees every byte of it.
    A stream of events that breaks ends with one event that says so; another body that breaks raises, so that
    the caller's connection breaks as well.
    """
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    content = response.content
    tail = b""
    try:
        if not content.is_eof():
            with _ending_with_connection(response):
                async for chunk in content.iter_any():
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                    if watch is not None:
                        watch(chunk)
                    tail = chunk
    # The last is what aiohttp says of a connection that was lost before anybody read from it.
    except (aiohttp.ClientError, TimeoutError, OSError, RuntimeError) as error:
        failure = upstream_error(error, str(response.url.origin()))
        if response.content_type != "text/event-stream" or "content-encoding" in response.headers:
            raise failure from error
        opening = b"" if not tail or tail.endswith(_EVENT_END) else b"\n\n"
        event = opening + b"data: " + failure.body() + b"\n\n"
        await send({"type": "http.response.body", "body": event, "more_body": False})
        return failure.code
    rest = content.read_nowait()
    if watch is not None:
        watch(rest)
    await send({"type": "http.response.body", "body": rest, "more_body": False})
    return ""


@contextlib.contextmanager
def _ending_with_connection(response: aiohttp.ClientResponse) -> Iterator[None]:
    """Make reading fail once the connection is gone: aiohttp waits for ever after a malformed chunk."""
    content = response.content
    connection = response.connection
    protocol = connection.protocol if connection is not None else None
    closed = protocol.closed if protocol is not None else None
    if closed is None:
        yield
        return

    def end(_: object) -> None:
        if not content.is_eof() and content.exception() is None:
            content.set_exception(aiohttp.ClientPayloadError("the connection is gone"))

    closed.add_done_callback(end)
    try:
        yield
    finally:
        closed.remove_done_callback(end)


class HangUp:
    """Cancels the current task when the caller goes away, which `send` alone would never tell.

    Most answers come sooner than anybody hangs up: only after a moment is `receive` watched.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._task = asyncio.current_task()
        self._timer: asyncio.TimerHandle | None = None
        self._watcher: asyncio.Task[None] | None = None
        self.seen = False

    def watch(self) -> None:
        """Begin, once the request body was read."""
        self._timer = asyncio.get_running_loop().call_later(_QUIET_S, self._start)

    def stop(self) -> None:
        """End watching."""
        if self._timer is not None:
            self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()

    def _start(self) -> None:
        self._watcher = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.seen = True
        if self._task is not None:
            self._task.cancel()
