"""A worker's engine whose compressor runs in processes that all workers share, one for each of its devices.

Knows where the supervisor is asked; knows no models.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from compressors import Job
from compressors.engines import NotReadyError, Shortened, Speed, estimated_tokens
from policies.config import Compressor
from proxy.sharing.channel import Channel
from proxy.sharing.messages import HOST, Place, keeper_socket, unpacked

_AGAIN_S = 0.2


@dataclass(frozen=True, slots=True)
class SharedEngines:
    """Makes the engines of a worker whose supervisor is found through `folder`."""

    folder: Path

    def __call__(self, compressor: Compressor) -> SharedEngine:
        """An engine that opens the compressor; needs a running event loop."""
        return SharedEngine(self.folder, compressor)


class SharedEngine:
    """An `Engine` over the processes of a compressor's devices; each job goes where it is done first."""

    def __init__(self, folder: Path, compressor: Compressor) -> None:
        self._folder = folder
        self._compressor = compressor
        self._channels: list[Channel] = []
        self.speed = Speed()
        self.load_error: Exception | None = None
        """Why the model could not be loaded, if it could be nowhere."""
        self.is_broken = False  # a process whose device is makes room for another
        self._opened = asyncio.create_task(self._open())

    @property
    def is_ready(self) -> bool:
        """Whether jobs are taken by at least one process."""
        return any(channel.is_ready for channel in self._channels)

    @property
    def on_gpu(self) -> bool:
        """Whether a process has told that it runs on more than the processor."""
        return any(channel.state.on_gpu for channel in self._channels)

    async def loaded(self) -> None:
        """Wait until loading has ended everywhere, well or not."""
        await asyncio.wait([self._opened])
        await asyncio.gather(*(channel.settled.wait() for channel in self._channels))

    def expected_s(self, characters: int) -> float:
        """Seconds that a text of so many characters is likely to need, behind those of all workers that wait."""
        tokens = estimated_tokens(characters)
        return min((channel.expected_s(tokens) for channel in self._ready()), default=0.0)

    def submit(self, job: Job) -> asyncio.Future[Shortened]:
        """Send a job to a process; cancelling the future takes it out there.

        Raises `NotReadyError` at once; the future fails with a `CompressionError`: a `QueueFullError` where too
        many tokens of all workers wait, a `NotReadyError` as soon as the process is gone.
        """
        ready = self._ready()
        if not ready:
            raise NotReadyError("no process has the model loaded")
        tokens = estimated_tokens(len(job.text))
        return min(ready, key=lambda channel: channel.expected_s(tokens)).submit(job)

    def close(self) -> None:
        """Take no more jobs; those that wait are still done."""
        self._opened.cancel()
        for channel in self._channels:
            channel.close()

    async def ended(self, timeout_s: float) -> None:
        """Wait for the last job's end after `close`, at most so long."""
        ends = [asyncio.create_task(channel.ended()) for channel in self._channels]
        if ends:
            await asyncio.wait(ends, timeout=timeout_s)

    def _ready(self) -> Sequence[Channel]:
        return [channel for channel in self._channels if channel.is_ready]

    async def _open(self) -> None:
        for place in await places(self._folder, self._compressor.device):
            compressor = self._compressor.model_copy(update={"device": place.device})
            self._channels.append(Channel(place.path, compressor, self._take_news))

    def _take_news(self) -> None:
        errors = [channel.load_error for channel in self._channels]
        self.load_error = errors[0] if all(errors) else None
        if ready := self._ready():
            fastest = min(channel.state.seconds_per_token for channel in ready)
            self.speed.replace(fastest)


async def places(folder: Path, device: str) -> list[Place]:
    """Where the devices of a configuration's `device` are served, as soon as the supervisor says it."""
    socket = str(keeper_socket(folder))
    while True:
        try:
            async with (
                aiohttp.ClientSession(connector=aiohttp.UnixConnector(socket)) as session,
                session.post(HOST, data=device) as response,
            ):
                response.raise_for_status()
                found: list[Place] = unpacked(await response.read())
                return found
        except (aiohttp.ClientError, OSError):
            await asyncio.sleep(_AGAIN_S)
