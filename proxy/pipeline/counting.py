"""Tokens counted while the upstream works, for nobody waits for them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from proxy.store.decision import Decision

_START_AFTER_S = 0.02  # by then a request is on its way, from which a count would take the processor


class Counting:
    """Runs `count` a moment from now, or as soon as somebody waits for it."""

    def __init__(self, count: Callable[[], Awaitable[list[Decision]]]) -> None:
        self._count = count
        self._wanted = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    @property
    def is_done(self) -> bool:
        """Whether the counts are there."""
        return self._task.done()

    async def done(self) -> list[Decision]:
        """The decisions with their counts."""
        self._wanted.set()
        return await asyncio.shield(self._task)

    async def _run(self) -> list[Decision]:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wanted.wait(), _START_AFTER_S)
        return await self._count()
