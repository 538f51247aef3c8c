"""The decisions that one worker remembers, in front of a durable store if there is one.

Here a store's failure becomes a miss: nothing in this file raises because Redis or a disk is down.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from proxy.metrics import STORE_OPERATIONS
from proxy.store.backend import Backend
from proxy.store.decision import Decision

_PAUSE_S = 1.0
_MOST_UNSAVED = 10_000
_log = logging.getLogger("laconic.store")


class Memory:
    """Least recently used decisions up to `most_bytes`, written through to `backend`."""

    def __init__(self, most_bytes: int, backend: Backend | None = None) -> None:
        self._most_bytes = most_bytes
        self._backend = backend
        self._decisions: OrderedDict[bytes, Decision] = OrderedDict()
        self._size_bytes = 0
        self._retry_at = 0.0
        self._unsaved: dict[bytes, bytes] = {}  # decided while the store was down

    async def get_many(self, keys: Sequence[bytes]) -> list[Decision | None]:
        """Decisions under `keys`, in their order; at most one round trip to the store."""
        found = [self._recall(key) for key in keys]
        missing = [key for key, decision in zip(keys, found, strict=True) if decision is None]
        hits = len(keys) - len(missing)
        if hits:
            STORE_OPERATIONS.labels("memory", "hit").inc(hits)
        if missing and self._backend is not None and self._reachable():
            stored = dict(zip(missing, await self._read(self._backend, missing), strict=True))
            found = [
                stored.get(key) if decision is None else decision
                for key, decision in zip(keys, found, strict=True)
            ]
        return found

    async def settle(self, decisions: Mapping[bytes, Decision]) -> dict[bytes, Decision]:
        """Remember decisions unless others were quicker, and return those that count."""
        settled = {key: self._recall(key) or decision for key, decision in decisions.items()}
        durable = {key: decision.encode() for key, decision in settled.items() if decision.is_durable}
        if durable and self._backend is not None:
            settled.update(await self._write(self._backend, durable))
        for key, decision in settled.items():
            self._keep(key, decision)
        return settled

    def clear(self) -> None:
        """Forget everything that the durable store may know."""
        self._decisions.clear()
        self._size_bytes = 0

    async def close(self) -> None:
        """Close the durable store."""
        if self._backend is not None:
            await self._backend.close()

    async def _read(self, backend: Backend, keys: Sequence[bytes]) -> list[Decision | None]:
        try:
            found = [_decoded(data) for data in await backend.get_many(keys)]
        except Exception as error:
            self._failed(backend, error)
            return [None] * len(keys)
        for key, decision in zip(keys, found, strict=True):
            STORE_OPERATIONS.labels(backend.name, "miss" if decision is None else "hit").inc()
            if decision is not None:
                self._keep(key, decision)
        return found

    async def _write(self, backend: Backend, items: Mapping[bytes, bytes]) -> dict[bytes, Decision]:
        late = {key: data for key, data in self._unsaved.items() if key not in items}
        try:
            if not self._reachable():
                raise ConnectionError("the store is down")
            written = await backend.settle({**items, **late})
            decided = {key: _decoded(data) for key, data in zip(items, written, strict=False)}
        except Exception as error:
            self._failed(backend, error)
            self._unsaved.update(items)
            while len(self._unsaved) > _MOST_UNSAVED:
                del self._unsaved[next(iter(self._unsaved))]
            return {}
        for key in (*items, *late):
            self._unsaved.pop(key, None)
        return {key: decision for key, decision in decided.items() if decision is not None}

    def _reachable(self) -> bool:
        return time.monotonic() >= self._retry_at

    def _failed(self, backend: Backend, error: Exception) -> None:
        STORE_OPERATIONS.labels(backend.name, "error").inc()
        if self._reachable():
            self._retry_at = time.monotonic() + _PAUSE_S
            _log.warning("store %s failed: %s", backend.name, type(error).__name__)

    def _recall(self, key: bytes) -> Decision | None:
        decision = self._decisions.get(key)
        if decision is not None:
            self._decisions.move_to_end(key)
        return decision

    def _keep(self, key: bytes, decision: Decision) -> None:
        old = self._decisions.pop(key, None)
        if old is not None:
            self._size_bytes -= old.size_bytes
        self._decisions[key] = decision
        self._size_bytes += decision.size_bytes
        while self._size_bytes > self._most_bytes and self._decisions:
            _, dropped = self._decisions.popitem(last=False)
            self._size_bytes -= dropped.size_bytes


def _decoded(data: bytes | None) -> Decision | None:
    """The decision in `data`; one that another version wrote in another way is a miss."""
    try:
        return None if data is None else Decision.decode(data)
    except ValueError:
        return None
