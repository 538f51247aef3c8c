"""What runs in a compressor process: each compressor once, for all workers that use it.

Owns the engines and who uses them. Knows no requests and no policies. A worker uses a compressor for as long as it
holds a web socket to it open, so one that dies is noticed; a job is a request of its own, so one that is cancelled
closes its connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from aiohttp import web

from compressors import Job
from compressors.engines import Engine
from proxy import logs
from proxy.gateway import engine_of
from proxy.sharing.messages import key_of, packed, unpacked
from proxy.sharing.state import State, reply_to, state_of

_TELL_S = 0.05  # between two states, if they differ
_LAST_BATCH_S = 20.0
_MOST_BYTES = 2**31


@dataclass(slots=True)
class _Shared:
    engine: Engine
    users: int = 0


class Host:
    """The compressors of one process and the HTTP handlers through which workers use them."""

    def __init__(self) -> None:
        self._shared: dict[str, _Shared] = {}
        self.broken = asyncio.Event()
        """Set when a device does nothing any more, which only another process can change."""
        self._ends: set[asyncio.Task[None]] = set()

    @property
    def models(self) -> int:
        """How many are loaded, or being loaded, for workers."""
        return len(self._shared)

    def application(self) -> web.Application:
        """The handlers: a web socket at /KEY, which opens a compressor and tells its state, and jobs at the same."""
        app = web.Application(client_max_size=_MOST_BYTES)
        app.add_routes([web.get("/{key}", self._use), web.post("/{key}", self._shorten)])
        return app

    async def ended(self) -> None:
        """Close all engines and wait for their last batches."""
        for shared in self._shared.values():
            self._put_away(shared.engine)
        await asyncio.gather(*self._ends)

    async def _use(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        compressor = unpacked(await socket.receive_bytes())
        key = key_of(compressor)
        shared = self._shared.get(key)
        if shared is None:
            shared = self._shared[key] = _Shared(engine_of(compressor))
        shared.users += 1
        telling = asyncio.create_task(self._tell(socket, shared))
        try:
            async for _ in socket:
                pass
        finally:
            telling.cancel()
            self._release(key, shared)
        return socket

    async def _tell(self, socket: web.WebSocketResponse, shared: _Shared) -> None:
        told: State | None = None
        with contextlib.suppress(ConnectionError):
            while True:
                if (state := state_of(shared.engine)) != told:
                    await socket.send_bytes(packed(state))
                    told = state
                if shared.engine.is_broken:
                    self.broken.set()
                await asyncio.sleep(_TELL_S)

    def _release(self, key: str, shared: _Shared) -> None:
        shared.users -= 1
        if not shared.users:
            del self._shared[key]
            self._put_away(shared.engine)

    def _put_away(self, engine: Engine) -> None:
        engine.close()
        end = asyncio.create_task(engine.ended(_LAST_BATCH_S))
        self._ends.add(end)
        end.add_done_callback(self._ends.discard)

    async def _shorten(self, request: web.Request) -> web.Response:
        shared = self._shared.get(request.match_info["key"])
        if shared is None:
            raise web.HTTPNotFound
        job: Job = unpacked(await request.read())
        # Cancelled when the worker has closed the connection.
        reply = await reply_to(job, shared.engine)
        return web.Response(body=packed(reply))


def run(path: Path, parent: Connection, prepare: Callable[[], object]) -> None:
    """Serve at the socket `path` until `parent` is closed, or its process is gone. A process's only work.

    Exits with status 1 when a device does nothing any more.
    """
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
        signal.SIGHUP,
    ):  # sent to all processes: workers may need it still
        signal.signal(number, signal.SIG_IGN)
    prepare()
    if asyncio.run(_serve(path, parent)):
        os._exit(1)  # a device that hangs must not hold up the end


async def _serve(path: Path, parent: Connection) -> bool:
    """Whether a device is the reason for the end."""
    loop = asyncio.get_running_loop()
    logs.watch(loop)
    host, over = Host(), asyncio.Event()
    runner = web.AppRunner(
        host.application(), access_log=None, handler_cancellation=True, shutdown_timeout=0.5
    )
    await runner.setup()
    await web.UnixSite(runner, path).start()
    loop.add_reader(parent.fileno(), over.set)
    ends = [asyncio.create_task(event.wait()) for event in (over, host.broken)]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    loop.remove_reader(parent.fileno())  # it would be called over and over
    await runner.cleanup()
    if host.broken.is_set():
        return True
    await host.ended()
    return False
