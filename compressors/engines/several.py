"""One compressor on several devices: each has its own copy of the model, and takes what it has room for.

Knows engines, no models and no devices but their names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from compressors.base import Job
from compressors.engines.batcher import Batcher
from compressors.engines.engine import BatchStatistics, NotReadyError, Shortened, Speed


class Several:
    """Gives each job to the device that is likely to have it done first; one that fails to load is left out."""

    def __init__(self, start: Callable[[str], Batcher], devices: Callable[[], Sequence[str]]) -> None:
        """`devices` may take its time, for it is called on a thread; `start` makes the engine of one.

        Needs a running event loop.
        """
        self._start = start
        self._engines: list[Batcher] = []
        self._error: Exception | None = None
        self._closed = False
        self._found = asyncio.create_task(self._find(devices))

    @property
    def speed(self) -> Speed:
        """Of the first device, which stands for all."""
        return self._engines[0].speed if self._engines else Speed()

    @property
    def load_error(self) -> Exception | None:
        """Why no device could load the model."""
        errors = [engine.load_error for engine in self._engines]
        return self._error or (errors[0] if errors and all(errors) else None)

    @property
    def is_broken(self) -> bool:
        """Whether one device does nothing any more; the others take its work."""
        return any(engine.is_broken for engine in self._engines)

    @property
    def batches(self) -> BatchStatistics:
        """Of all devices together."""
        total = BatchStatistics()
        for engine in self._engines:
            batches = engine.batches
            total.add(batches.tokens, batches.budget_tokens, batches.seconds)
            total.count += batches.count - 1
        return total

    @property
    def is_ready(self) -> bool:
        """Whether one device is."""
        return any(engine.is_ready for engine in self._engines)

    @property
    def on_gpu(self) -> bool:
        """Whether one runs on more than a processor."""
        return any(engine.on_gpu for engine in self._engines)

    async def loaded(self) -> None:
        """Wait until loading has ended everywhere, well or not."""
        await asyncio.wait([self._found])
        await asyncio.gather(*(engine.loaded() for engine in self._engines))

    def expected_s(self, characters: int) -> float:
        """Seconds that a text of so many characters is likely to need on the device that has the least to do."""
        return min((engine.expected_s(characters) for engine in self._ready()), default=0.0)

    def submit(self, job: Job) -> asyncio.Future[Shortened]:
        """Queue a job on one device; raises as a `Batcher` does, `QueueFullError` only if all are full."""
        ready = self._ready()
        if not ready:
            raise NotReadyError("the model is not loaded")
        return min(ready, key=lambda engine: engine.expected_s(len(job.text))).submit(job)

    def close(self) -> None:
        """Take no more jobs; those that wait are still done."""
        self._closed = True
        for engine in self._engines:
            engine.close()

    async def ended(self, timeout_s: float) -> None:
        """Wait for the last job's end after `close`, at most so long."""
        await asyncio.gather(*(engine.ended(timeout_s) for engine in self._engines))

    def _ready(self) -> list[Batcher]:
        return [engine for engine in self._engines if engine.is_ready]

    async def _find(self, devices: Callable[[], Sequence[str]]) -> None:
        try:
            found = await asyncio.to_thread(devices)
        except Exception as error:
            self._error = error
            return
        if not self._closed:
            self._engines = [self._start(device) for device in found]
