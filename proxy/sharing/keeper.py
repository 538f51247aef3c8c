"""Starts a compressor process for each device that a worker asks for, and starts it again when it dies.

Owns the folder of the sockets and the processes. Runs on a thread of the supervisor's; knows no models and no jobs.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from proxy.sharing.devices import devices_of
from proxy.sharing.host import run
from proxy.sharing.messages import Place, keeper_socket, packed

_LAST_S = 25.0  # for a last batch
_SHORT_LIFE_S = 30.0
_PAUSES_S = (0.1, 1.0, 5.0, 30.0)  # before a process starts that died young so many times
_log = logging.getLogger("laconic.compressor")
_spawn = multiprocessing.get_context("spawn")


class _Kept:
    """One device's process, and the ones that take its place."""

    def __init__(self, device: str, path: Path, prepare: Callable[[], object]) -> None:
        self.path = path
        self._device = device
        self._prepare = prepare
        self._process: SpawnProcess | None = None
        self._line: Connection | None = None

    async def keep(self) -> None:
        """Run the process until cancelled; a dead one is started again, after a while if it didn't live long."""
        died_young = 0
        while True:
            self._start()
            assert self._process is not None
            started = time.monotonic()
            await _readable(self._process.sentinel)
            self._process.join()
            died_young = died_young + 1 if time.monotonic() - started < _SHORT_LIFE_S else 0
            _log.error(
                "the compressor process for %s ended with status %s and is started again",
                self._device,
                self._process.exitcode,
            )
            await asyncio.sleep(_PAUSES_S[min(died_young, len(_PAUSES_S) - 1)])

    def _start(self) -> None:
        ours, theirs = _spawn.Pipe()
        self._process = _spawn.Process(
            target=run, args=(self.path, theirs, self._prepare), name=f"laconic-{self._device}"
        )
        self._process.start()
        theirs.close()
        if self._line is not None:
            self._line.close()
        self._line = ours

    def hang_up(self) -> None:
        """Tell the process to finish its last batch."""
        if self._line is not None:
            self._line.close()

    def end(self) -> None:
        """Wait for the process to end, after `hang_up`."""
        if self._process is None:
            return
        self._process.join(_LAST_S)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()


class Keeper:
    """A context manager: while it is open, workers find their compressors' processes through `folder`.

    `prepare` is called in each new process first.
    """

    def __init__(self, prepare: Callable[[], object]) -> None:
        self._prepare = prepare
        self._kept: dict[str, _Kept] = {}
        self._names: dict[str, asyncio.Task[list[str]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._folder = tempfile.TemporaryDirectory(prefix="laconic-")  # mode 0700
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._started = threading.Event()
        self._error: OSError | None = None
        self._thread = threading.Thread(
            target=self._loop.run_until_complete, args=(self._serve(),), name="laconic-keeper", daemon=True
        )

    @property
    def folder(self) -> Path:
        """Where the sockets lie."""
        return Path(self._folder.name)

    def __enter__(self) -> Self:
        """Raises OSError if there can't be sockets in the folder for temporary files."""
        self._thread.start()
        self._started.wait()
        if self._error is not None:
            self._thread.join()
            self._folder.cleanup()
            raise self._error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
        self._loop.close()
        for kept in self._kept.values():
            kept.hang_up()
        for kept in self._kept.values():
            kept.end()
        self._folder.cleanup()

    async def _serve(self) -> None:
        app = web.Application()
        app.add_routes([web.post("/", self._where)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.UnixSite(runner, keeper_socket(self.folder)).start()
        except OSError as error:
            self._error = error
            await runner.cleanup()
            return
        finally:
            self._started.set()
        await self._over.wait()
        tasks = [*self._tasks, *self._names.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await runner.cleanup()

    async def _where(self, request: web.Request) -> web.Response:
        """The places of a compressor's devices; processes that aren't there yet are started."""
        names = await self._named(await request.text())
        return web.Response(body=packed([Place(name, self._process(name).path) for name in names]))

    async def _named(self, device: str) -> list[str]:
        """The devices' names, looked for once."""
        looking = self._names.get(device)
        if looking is None:
            looking = self._names[device] = asyncio.create_task(devices_of(device))
        try:
            return await asyncio.shield(looking)
        except (
            Exception
        ) as error:  # a process that is asked to load a model will say what is wrong with torch
            _log.error("devices could not be looked for: %s", error)
            return [device]

    def _process(self, device: str) -> _Kept:
        kept = self._kept.get(device)
        if kept is None:
            path = self.folder / f"{len(self._kept)}.sock"
            kept = self._kept[device] = _Kept(device, path, self._prepare)
            self._tasks.add(asyncio.create_task(kept.keep()))
        return kept


async def _readable(descriptor: int) -> None:
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        with contextlib.suppress(OSError):
            loop.remove_reader(descriptor)
