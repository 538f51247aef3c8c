"""How the fake upstream answers: each function is one behaviour, good or bad, found by name.

A name is chosen by a test (`upstream.behaviour = "stall"`) or by the request's model (`fake-stall`).
Owns the sequence of writes, pauses and breaks. Knows neither the server nor who asks.
"""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
from collections.abc import Awaitable, Callable

from tests.fakes import payloads
from tests.fakes.exchange import Exchange, Header

Behaviour = Callable[[Exchange], Awaitable[None]]

JSON: Header = (b"content-type", b"application/json")
EVENT_STREAM: Header = (b"content-type", b"text/event-stream; charset=utf-8")
FOREVER_S = 3600.0
ERROR_HEADERS: dict[int, list[Header]] = {
    401: [(b"www-authenticate", b"Bearer")],
    429: [(b"retry-after", b"7"), (b"x-ratelimit-remaining-requests", b"0")],
    503: [(b"retry-after", b"3")],
}


async def normal(exchange: Exchange) -> None:
    """Answer as OpenAI's API would: a completion, a stream, models, embeddings, files; else the facts."""
    path = exchange.request.target.partition(b"?")[0].decode("latin-1")
    body = exchange.request.json()
    if path.endswith("/chat/completions"):
        await (_stream(exchange) if body.get("stream") else _complete(exchange))
    elif path.endswith("/models"):
        await exchange.respond_json(payloads.models())
    elif path.endswith("/embeddings"):
        await exchange.respond_json(payloads.embeddings(exchange.request))
    elif path.endswith("/files") and exchange.request.method == "POST":
        await exchange.respond_json(payloads.file(exchange.request))
    else:
        await exchange.respond_json(payloads.facts(exchange.request))


async def _complete(exchange: Exchange) -> None:
    await exchange.respond_json(payloads.completion(exchange.request), headers=[(b"x-request-id", b"req-1")])


async def _stream(exchange: Exchange) -> None:
    await _events(exchange, payloads.events(exchange.request))
    await exchange.finish()


async def _events(exchange: Exchange, events: list[bytes]) -> None:
    await exchange.start(headers=[EVENT_STREAM, (b"cache-control", b"no-cache")])
    for event in events:
        await exchange.write(event)
        await asyncio.sleep(exchange.event_delay_s)


async def slow(exchange: Exchange) -> None:
    """Answer normally after half a second."""
    await asyncio.sleep(0.5)
    await normal(exchange)


async def split(exchange: Exchange) -> None:
    """Stream in pieces of seven bytes, which end inside of events, words and characters."""
    first, *rest = payloads.events(exchange.request)
    greeting = payloads.event(payloads.chunk(exchange.request, {"content": "naïve 语言 🦉"}))
    joined = b"".join([first, greeting, *rest])
    await _events(exchange, [joined[start : start + 7] for start in range(0, len(joined), 7)])
    await exchange.finish()


async def endless(exchange: Exchange) -> None:
    """Stream events until the client leaves."""
    await exchange.start(headers=[EVENT_STREAM])
    for number in itertools.count():
        await exchange.write(payloads.event({"number": number}))
        await asyncio.sleep(exchange.event_delay_s)


async def stall(exchange: Exchange) -> None:
    """Never send a status line."""
    await asyncio.sleep(FOREVER_S)


async def stall_stream(exchange: Exchange) -> None:
    """Send two events, then nothing."""
    await _events(exchange, payloads.events(exchange.request)[:2])
    await asyncio.sleep(FOREVER_S)


async def stall_body(exchange: Exchange) -> None:
    """Send half of a JSON body of announced length, then nothing."""
    await _half_body(exchange)
    await asyncio.sleep(FOREVER_S)


async def _half_body(exchange: Exchange) -> None:
    body = json.dumps(payloads.completion(exchange.request)).encode()
    await exchange.start(headers=[JSON, (b"content-length", str(len(body)).encode())])
    await exchange.write(body[: len(body) // 2])


async def cut(exchange: Exchange) -> None:
    """Close the connection instead of sending a status line."""
    exchange.close()


async def cut_stream(exchange: Exchange) -> None:
    """Close after two whole events, with no terminating chunk."""
    await _events(exchange, payloads.events(exchange.request)[:2])
    exchange.close()


async def cut_event(exchange: Exchange) -> None:
    """Close in the middle of the third event."""
    await _two_events_and_a_half(exchange)
    exchange.close()


async def _two_events_and_a_half(exchange: Exchange) -> None:
    first, second, third, *_ = payloads.events(exchange.request)
    await _events(exchange, [first, second, third[: len(third) // 2]])


async def cut_body(exchange: Exchange) -> None:
    """Close after half of a JSON body of announced length."""
    await _half_body(exchange)
    exchange.close()


async def reset(exchange: Exchange) -> None:
    """Reset the connection instead of sending a status line."""
    await exchange.reset()


async def reset_stream(exchange: Exchange) -> None:
    """Reset after two whole events."""
    await _events(exchange, payloads.events(exchange.request)[:2])
    await exchange.reset()


async def reset_event(exchange: Exchange) -> None:
    """Reset in the middle of the third event."""
    await _two_events_and_a_half(exchange)
    await exchange.reset()


async def garbage(exchange: Exchange) -> None:
    """Send bytes that are no HTTP, then close."""
    exchange.write_raw(payloads.binary(4096))
    exchange.close()


async def garbage_stream(exchange: Exchange) -> None:
    """Send two events, then bytes that are no chunk, then close."""
    await _events(exchange, payloads.events(exchange.request)[:2])
    exchange.write_raw(b"not a chunk size\r\n" + payloads.binary(512))
    exchange.close()


async def until_close(exchange: Exchange) -> None:
    """Answer with HTTP/1.0 and no length: the body ends where the connection does."""
    body = json.dumps(payloads.completion(exchange.request)).encode()
    exchange.write_raw(b"HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n" + body)
    exchange.close()


async def compressed(exchange: Exchange) -> None:
    """Answer with a completion under `content-encoding: gzip`, asked for or not."""
    body = gzip.compress(json.dumps(payloads.completion(exchange.request)).encode(), mtime=0)
    await exchange.respond(200, body, [JSON, (b"content-encoding", b"gzip"), (b"vary", b"accept-encoding")])


async def cookies(exchange: Exchange) -> None:
    """Answer with a header that comes twice."""
    headers = [(b"set-cookie", b"a=1; Path=/"), (b"set-cookie", b"b=2; Path=/")]
    await exchange.respond_json(payloads.completion(exchange.request), headers=headers)


async def empty(exchange: Exchange) -> None:
    """Answer 204 with no body."""
    await exchange.start(204)
    await exchange.finish()


async def redirect(exchange: Exchange) -> None:
    """Answer 307 to another host."""
    await exchange.respond(307, b"", [(b"location", b"http://elsewhere.invalid/v1/chat/completions")])


async def binary(exchange: Exchange) -> None:
    """Answer with 8 MiB of audio-like bytes."""
    await exchange.respond(200, payloads.binary(), [(b"content-type", b"audio/mpeg")])


def error(status: int) -> Behaviour:
    """Answer an error status with a JSON body in OpenAI's shape and the headers that go with it."""

    async def fail(exchange: Exchange) -> None:
        await exchange.respond_json(payloads.error(status), status, ERROR_HEADERS.get(status, []))

    return fail


BY_NAME: dict[str, Behaviour] = {
    "normal": normal,
    "slow": slow,
    "split": split,
    "endless": endless,
    "stall": stall,
    "stall-stream": stall_stream,
    "stall-body": stall_body,
    "cut": cut,
    "cut-stream": cut_stream,
    "cut-event": cut_event,
    "cut-body": cut_body,
    "reset": reset,
    "reset-stream": reset_stream,
    "reset-event": reset_event,
    "garbage": garbage,
    "garbage-stream": garbage_stream,
    "until-close": until_close,
    "gzip": compressed,
    "cookies": cookies,
    "empty": empty,
    "redirect": redirect,
    "binary": binary,
    **{f"error-{status}": error(status) for status in (400, 401, 404, 413, 429, 500, 502, 503, 529)},
}
"""Every behaviour by the name that tests and models choose it by."""
