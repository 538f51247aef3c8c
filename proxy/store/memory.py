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
from proxy.store.conversation import Conversation
from proxy.store.decision import Decision

Remembered = Decision | Conversation

_PAUSE_S = 1.0
_MOST_UNSAVED = 10_000
_log = logging.getLogger("laconic.store")


class Memory:
    """Least recently used decisions and conversations up to `most_bytes`, written through to `backend`."""

    def __init__(self, most_bytes: int, backend: Backend | None = None) -> None:
        self._most_bytes = most_bytes
        self._backend = backend
        self._values: OrderedDict[bytes, Remembered] = OrderedDict()
        self._size_bytes = 0
        self._retry_at = 0.0
        self._unsaved: dict[bytes, Remembered] = {}  # from while the store was down

    async def get_many(self, keys: Sequence[bytes]) -> list[Remembered | None]:
        """What stands under `keys`, in their order; at most one round trip to the store."""
        found = [self._recall(key) for key in keys]
        missing = [key for key, value in zip(keys, found, strict=True) if value is None]
        hits = len(keys) - len(missing)
        if hits:
            STORE_OPERATIONS.labels("memory", "hit").inc(hits)
        if missing and self._backend is not None and self.is_reachable:
            stored = dict(zip(missing, await self._read(self._backend, missing), strict=True))
            found = [
                stored.get(key) if value is None else value for key, value in zip(keys, found, strict=True)
            ]
        return found

    async def settle(self, decisions: Mapping[bytes, Decision]) -> dict[bytes, Decision]:
        """Remember decisions unless others were quicker, and return those that count."""
        settled = {key: self._known(key) or decision for key, decision in decisions.items()}
        durable = {key: decision for key, decision in settled.items() if decision.is_durable}
        if durable and self._backend is not None:
            settled |= await self._write(self._backend, durable)
        for key, decision in settled.items():
            self.keep(key, decision)
        return settled

    async def put(self, key: bytes, conversation: Conversation) -> None:
        """Remember a conversation as it stands now."""
        self.keep(key, conversation)
        if self._backend is not None:
            await self._write(self._backend, {key: conversation})

    def keep(self, key: bytes, value: Remembered) -> None:
        """Remember in this worker only."""
        old = self._values.pop(key, None)
        if old is not None:
            self._size_bytes -= old.size_bytes
        self._values[key] = value
        self._size_bytes += value.size_bytes
        while self._size_bytes > self._most_bytes and self._values:
            _, dropped = self._values.popitem(last=False)
            self._size_bytes -= dropped.size_bytes

    @property
    def is_reachable(self) -> bool:
        """Whether a miss means that nobody knows, not that the store is down."""
        return time.monotonic() >= self._retry_at

    def clear(self) -> None:
        """Forget everything that the durable store may know."""
        self._values.clear()
        self._size_bytes = 0

    async def close(self) -> None:
        """Close the durable store."""
        if self._backend is not None:
            await self._backend.close()

    async def _read(self, backend: Backend, keys: Sequence[bytes]) -> list[Remembered | None]:
        try:
            found = [_decoded(data) for data in await backend.get_many(keys)]
        except Exception as error:
            self._failed(backend, error)
            return [None] * len(keys)
        for key, value in zip(keys, found, strict=True):
            STORE_OPERATIONS.labels(backend.name, "miss" if value is None else "hit").inc()
            if value is not None:
                self.keep(key, value)
        return found

    async def _write(self, backend: Backend, new: Mapping[bytes, Remembered]) -> dict[bytes, Decision]:
        """Write these, and what the store missed while it was down; returns the decisions that stand there."""
        late = {key: value for key, value in self._unsaved.items() if key not in new}
        both = {**new, **late}
        first = {key: value.encode() for key, value in both.items() if isinstance(value, Decision)}
        newer = {key: value.encode() for key, value in both.items() if isinstance(value, Conversation)}
        try:
            if not self.is_reachable:
                raise ConnectionError("the store is down")
            written = dict(zip(first, await backend.settle(first, newer), strict=True))
        except Exception as error:
            self._failed(backend, error)
            self._unsaved |= new
            while len(self._unsaved) > _MOST_UNSAVED:
                del self._unsaved[next(iter(self._unsaved))]
            return {}
        for key in (*new, *late):
            self._unsaved.pop(key, None)
        found = {key: _decoded(data) for key, data in written.items() if key in new}
        return {key: value for key, value in found.items() if isinstance(value, Decision)}

    def _failed(self, backend: Backend, error: Exception) -> None:
        STORE_OPERATIONS.labels(backend.name, "error").inc()
        if self.is_reachable:
            self._retry_at = time.monotonic() + _PAUSE_S
            _log.warning("store %s failed: %s", backend.name, type(error).__name__)

    def _recall(self, key: bytes) -> Remembered | None:
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def _known(self, key: bytes) -> Decision | None:
        value = self._recall(key)
        return value if isinstance(value, Decision) else None


def _decoded(data: bytes | None) -> Remembered | None:
    """What `data` says; what another version wrote in another way is a miss."""
    for kind in (Decision, Conversation):
        try:
            return None if data is None else kind.decode(data)
        except ValueError:
            continue
    return None
