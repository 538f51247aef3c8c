"""Adds up requests in memory and hands the sums on every few seconds. Knows no store."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets

from proxy.ledger.counts import Counts, Series
from proxy.ledger.entry import Entry
from proxy.ledger.sink import Batch, Sink

_log = logging.getLogger("laconic.ledger")
_OTHER = "other"
_NAME_CHARACTERS = 100


class Ledger:
    """One per worker; without a sink it forgets everything.

    Callers choose models and keys: after `most_series` of a bucket's series, new ones are `other`. While the
    store is down, counts are kept up to five times as many series.
    """

    def __init__(self, sink: Sink | None, *, flush_every_s: float = 5.0, most_series: int = 10_000) -> None:
        self._sink = sink
        self._flush_every_s = flush_every_s
        self._most_series = most_series
        self._counts: dict[Series, Counts] = {}
        self._bucket = 0
        self._known: set[Series] = set()  # of this bucket
        self._writer = secrets.token_hex(8)
        self._number = 0
        self._unwritten: Batch | None = None
        self._failing = False
        self._writing = asyncio.Lock()
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write in the background; needs a running event loop."""
        if self._sink is not None:
            self._task = asyncio.create_task(self._run())

    def add(self, entry: Entry) -> None:
        """Count a request; takes microseconds and never raises. To be called from the event loop's thread."""
        if self._sink is None or self._closing.is_set():
            return
        series = entry.series
        counts = self._counts.get(series)
        if counts is None:
            series = self._bounded(series)
            counts = self._counts.get(series)
        if counts is not None:
            self._counts[series] = counts.plus(entry.counts)
        elif len(self._counts) < 5 * self._most_series:
            self._counts[series] = entry.counts

    async def flush(self) -> None:
        """Write what was added; what can't be written is kept for the next time. Never raises."""
        async with self._writing:
            for _ in range(2):  # what failed before, and what came since
                batch = self._unwritten = self._unwritten or self._next()
                if batch is None or self._sink is None:
                    return
                try:
                    await self._sink.write(batch)
                except Exception as error:
                    self._failed(error)
                    return
                self._unwritten = None
                self._recovered()

    async def close(self) -> None:
        """Write what is left and release the sink; what is added afterwards is forgotten."""
        self._closing.set()
        if self._task is not None:
            await self._task
        await self.flush()
        if self._sink is not None:
            await self._sink.close()

    async def _run(self) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), self._flush_every_s)
            await self.flush()

    def _bounded(self, series: Series) -> Series:
        """The series itself, or the one that it is folded into because there are too many."""
        if series.bucket > self._bucket:
            self._bucket = series.bucket
            self._known.clear()
        where = series.dimensions
        where = where._replace(model=_name(where.model), key=_name(where.key))
        series = series._replace(dimensions=where)
        if series not in self._known:
            if len(self._known) >= self._most_series:
                return series._replace(dimensions=where._replace(model=_OTHER, key=_OTHER))
            self._known.add(series)
        return series

    def _next(self) -> Batch | None:
        if not self._counts:
            return None
        self._number += 1
        counts, self._counts = self._counts, {}
        return Batch(self._writer, self._number, counts)

    def _failed(self, error: Exception) -> None:
        if not self._failing:
            _log.warning("the ledger can't be written and is kept in memory: %s", type(error).__name__)
        self._failing = True

    def _recovered(self) -> None:
        if self._failing:
            _log.info("the ledger is written again")
        self._failing = False


def _name(text: str) -> str:
    """`text` if it looks like a name: callers write it, and every store must be able to hold it."""
    return text if len(text) <= _NAME_CHARACTERS and text.isprintable() else _OTHER
