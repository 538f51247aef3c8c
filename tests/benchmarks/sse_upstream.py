"""An upstream that streams: `python sse_upstream.py PORT`.

Owns the pace of the events. Reads requests only as far as it must to find their end.
"""

from __future__ import annotations

import asyncio
import json
import sys

import uvloop

EVENTS = 20
EVENT_DELAY_S = 0.02
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """One piece of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(content: str) -> bytes:
    """A piece of a completion as a server-sent event."""
    payload = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "gpt-4o",
        "choices": [{"index": 0, "delta": {"role": "assistant", "content": content}, "finish_reason": None}],
    }
    return b"data: " + json.dumps(payload).encode() + b"\n\n"


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection, one after the other."""
    piece = chunk(event("a few words "))
    try:
        while True:
            await _read_request(reader)
            writer.write(HEAD)
            for _ in range(EVENTS):
                writer.write(piece)
                await asyncio.sleep(EVENT_DELAY_S)
            writer.write(chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _read_request(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length))


async def serve(port: int) -> None:
    """Listen until ended from outside."""
    server = await asyncio.start_server(answer, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
