"""How long laconic's event loop is kept from its work: `python -m tests.benchmarks.stalls`.

A real server with the embedded model, 64 connections from another process, half of the texts new and half of them
sent before. A task on the server's own loop wants to run every millisecond; by how much it is late is a stall. The
connections pause between requests: a loop that has more to do than it can is late without being kept from anything.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import multiprocessing
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import aiohttp
import click
from rich.console import Console
from starlette.types import ASGIApp, Receive, Scope, Send

from policies.config import Config
from proxy.app import Application
from proxy.loopback import serving
from proxy.settings import Settings
from proxy.sharing.engine import SharedEngines
from proxy.sharing.keeper import Keeper
from tests.benchmarks import bodies
from tests.benchmarks.processes import free_port
from tests.benchmarks.report import Table

CONNECTIONS = 64
BEAT_S = 0.001
BAR_MS = 10.0
SIZES = (300, 2_000, 8_000)
"""Bytes of a body, about."""
COLUMNS = ("beats", "p50 ms", "p99 ms", "p99.9 ms", "longest ms", "bar", "load")


class Watched:
    """An application with a task beside it that notes by how many seconds it ran late."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._task: asyncio.Task[None] | None = None
        self.late_s: list[float] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's event (ASGI 3)."""
        if scope["type"] == "lifespan":
            self._task = asyncio.create_task(self._beat())
        await self._app(scope, receive, send)

    async def _beat(self) -> None:
        while True:
            started = time.perf_counter()
            await asyncio.sleep(BEAT_S)
            self.late_s.append(time.perf_counter() - started - BEAT_S)


def texts(seed: int) -> Iterator[str]:
    """Every second one was there before."""
    draw = random.Random(seed)
    sent: list[str] = []
    for number in itertools.count():
        if number % 2 and sent:
            yield draw.choice(sent)
            continue
        body = json.loads(bodies.chat(draw.choice(SIZES)))
        sent.append(f"{seed} {number}: {body['messages'][-1]['content']}")
        yield sent[-1]


async def _load(port: int, seconds: float, pause_s: float) -> dict[str, int]:
    url, counts = f"http://127.0.0.1:{port}/v1/chat/completions", {"answers": 0, "shortened": 0, "failed": 0}
    until = time.monotonic() + seconds
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def one(seed: int) -> None:
            draw = random.Random(seed)
            for text in texts(seed):
                await asyncio.sleep(draw.uniform(0.5, 1.5) * pause_s)
                if time.monotonic() > until:
                    return
                body = {"model": bodies.MODEL, "messages": [{"role": "user", "content": text}]}
                async with session.post(url, json=body) as response:
                    await response.read()
                    counts["answers"] += 1
                    counts["failed"] += response.status != 200
                    counts["shortened"] += int(response.headers.get("x-laconic-saved-tokens", "0")) > 0

        await asyncio.gather(*(one(seed) for seed in range(CONNECTIONS)))
    return counts


def _loaded(line: Connection, port: int, seconds: float, pause_s: float) -> None:
    line.send(asyncio.run(_load(port, seconds, pause_s)))


def config(upstream: int, deadline_ms: int) -> Config:
    """One route, one policy that shortens what users say, whatever it is worth."""
    return Config.model_validate(
        {
            "upstreams": {"mock": {"base_url": f"http://127.0.0.1:{upstream}/v1"}},
            "policies": {
                "all": {
                    "ranges": [{"rate": 0.5}],
                    "targets": [{"role": "user"}],
                    "break_even": {"value": "off"},
                    "keep_cacheable": False,
                    "deadline_ms": deadline_ms,
                }
            },
            "routes": [{"name": "all", "upstream": "mock", "policy": "all"}],
        }
    )


@click.command()
@click.option("--seconds", default=20.0, show_default=True, help="Length of the load.")
@click.option(
    "--pause-ms", default=500, show_default=True, help="Of a connection before each request, on average."
)
@click.option("--apart", is_flag=True, help="The model in a process of its own, as with several workers.")
@click.option("--deadline-ms", default=1000, show_default=True, help="Of the policy.")
def main(seconds: float, pause_ms: int, apart: bool, deadline_ms: int) -> None:
    """Measure the stalls of the event loop while texts are shortened."""
    load = os.getloadavg()[0]
    port = free_port()
    mock = subprocess.Popen([sys.executable, str(Path(__file__).with_name("mock_upstream.py")), str(port)])
    try:
        settings = Settings()
        with contextlib.ExitStack() as stack:
            if apart:
                keeper = stack.enter_context(Keeper(list))
                settings = Settings(engines=SharedEngines(keeper.folder))
            app = Application(config(port, deadline_ms), settings)
            watched = Watched(app)
            own = stack.enter_context(serving(watched))
            while app.gateway.why_not_ready():
                time.sleep(0.05)
            time.sleep(2)  # what follows start-up is over
            watched.late_s.clear()
            ours, theirs = multiprocessing.Pipe()
            client = multiprocessing.get_context("spawn").Process(
                target=_loaded, args=(theirs, own, seconds, pause_ms / 1000)
            )
            client.start()
            counts = ours.recv()
            late_ms = [late * 1000 for late in watched.late_s]
            client.join()
    finally:
        mock.terminate()
        mock.wait()
    cuts = statistics.quantiles(late_ms, n=1000)
    figures = (statistics.median(late_ms), cuts[989], cuts[998], max(late_ms))
    row = (f"{len(late_ms):,}", *(f"{figure:.2f}" for figure in figures), f"{BAR_MS:.0f}", f"{load:.1f}")
    console = Console()
    Table("Stalls of the event loop", COLUMNS, [row]).show(console)
    console.print(counts)


if __name__ == "__main__":
    main()
