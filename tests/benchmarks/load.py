"""Measures one server under load: wrk for whole answers, a small asyncio client for streams.

Knows URLs and bodies, not who serves them.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import uvloop

from tests.benchmarks.processes import API_KEY

SCRIPT = Path(__file__).with_name("post.lua")
TIMEOUT_S = 30
END_OF_BODY = b"\r\n0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run against one server."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    errors: int
    """Failed connections, reads, writes and timeouts, and answers other than 2xx and 3xx."""


def median(runs: Sequence[Measurement]) -> Measurement:
    """Each figure's median over the runs; the errors add up."""
    return Measurement(
        requests_per_s=statistics.median(run.requests_per_s for run in runs),
        p50_ms=statistics.median(run.p50_ms for run in runs),
        p99_ms=statistics.median(run.p99_ms for run in runs),
        errors=sum(run.errors for run in runs),
    )


def whole_answers(url: str, bodies: Sequence[Path], connections: int, duration_s: int) -> Measurement:
    """Post the bodies in turn over `connections` connections, each as fast as answers come."""
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{duration_s}s",
        "--timeout",
        f"{TIMEOUT_S}s",
        "-s",
        str(SCRIPT),
    ]
    command += [url, "--", API_KEY, *map(str, bodies)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    result = json.loads(output.splitlines()[-1])
    return Measurement(
        requests_per_s=result["requests"] / result["duration_us"] * 1e6,
        p50_ms=result["p50_us"] / 1e3,
        p99_ms=result["p99_us"] / 1e3,
        errors=result["errors"],
    )


def streams(url: str, body: bytes, connections: int, duration_s: int) -> Measurement:
    """The same for streamed answers; the times are those to the first byte of the first event."""
    return uvloop.run(_streams(url, body, connections, duration_s))


async def _streams(url: str, body: bytes, connections: int, duration_s: int) -> Measurement:
    started_at = time.perf_counter()
    readers = [_Reader(url, body, started_at + duration_s) for _ in range(connections)]
    await asyncio.gather(*(reader.run() for reader in readers))
    waits_ms = sorted(wait for reader in readers for wait in reader.first_byte_ms)
    if not waits_ms:
        return Measurement(0.0, float("nan"), float("nan"), sum(reader.errors for reader in readers))
    return Measurement(
        requests_per_s=len(waits_ms) / (time.perf_counter() - started_at),
        p50_ms=waits_ms[len(waits_ms) // 2],
        p99_ms=waits_ms[int(len(waits_ms) * 0.99)],
        errors=sum(reader.errors for reader in readers),
    )


class _Reader:
    """One connection that asks for a stream, reads it to its end, and asks again."""

    def __init__(self, url: str, body: bytes, ends_at: float) -> None:
        parts = urlsplit(url)
        self.address = (parts.hostname, parts.port)
        head = (
            f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer {API_KEY}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self.request = head.encode() + body
        self.ends_at = ends_at
        self.first_byte_ms: list[float] = []
        self.errors = 0

    async def run(self) -> None:
        """Go on until `ends_at`; a broken stream is an error and ends the connection's part."""
        reader, writer = await asyncio.open_connection(*self.address)
        try:
            while time.perf_counter() < self.ends_at:
                await self._stream(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            self.errors += 1
        finally:
            writer.close()

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked_at = time.perf_counter()
        writer.write(self.request)
        async with asyncio.timeout(TIMEOUT_S):
            await reader.readuntil(b"data: ")
            self.first_byte_ms.append((time.perf_counter() - asked_at) * 1e3)
            await reader.readuntil(END_OF_BODY)
