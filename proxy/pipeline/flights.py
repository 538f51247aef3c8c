"""Decisions being made, so that a text which several requests hold is decided once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any

from proxy.store.decision import Decision

Work = Coroutine[Any, Any, dict[bytes, Decision]]


class Flights:
    """Flights by the keys of the decisions that they bring."""

    def __init__(self) -> None:
        self._by_key: dict[bytes, _Flight] = {}

    def __contains__(self, key: bytes) -> bool:
        return key in self._by_key

    def take_off(self, work: Work, keys: Iterable[bytes]) -> None:
        """Begin to decide; the work is cancelled once nobody waits for it any more."""
        _Flight(work, keys, self._by_key)

    async def land(self, keys: Iterable[bytes]) -> dict[bytes, Decision]:
        """Wait for the decisions under `keys`, all of which must be in flight."""
        boarded = [flight.board() for flight in {self._by_key[key] for key in keys}]
        landed: dict[bytes, Decision] = {}
        for decisions in await asyncio.gather(*boarded):
            landed |= decisions
        return landed


class _Flight:
    """Decisions under way, in `flights` under their keys for as long as somebody waits for them."""

    def __init__(self, work: Work, keys: Iterable[bytes], flights: dict[bytes, _Flight]) -> None:
        self._keys = tuple(keys)
        self._flights = flights
        self._waiters = 0
        flights |= dict.fromkeys(self._keys, self)
        self._task = asyncio.create_task(work)
        self._task.add_done_callback(self._land)

    def board(self) -> Coroutine[Any, Any, Mapping[bytes, Decision]]:
        """Wait for the decisions, counted from this call on."""
        self._waiters += 1
        return self._wait()

    async def _wait(self) -> Mapping[bytes, Decision]:
        try:
            return await asyncio.shield(self._task)
        finally:
            self._waiters -= 1
            if not self._waiters and not self._task.done():
                self._leave()  # at once: nobody may join what is given up
                self._task.cancel()

    def _land(self, task: asyncio.Task[dict[bytes, Decision]]) -> None:
        self._leave()
        if not task.cancelled():
            task.exception()  # was raised to those who waited; without them, nobody needs to hear of it

    def _leave(self) -> None:
        for key in self._keys:
            if self._flights.get(key) is self:
                del self._flights[key]
