"""What one request has asked its memory for; nothing is asked for twice."""

from __future__ import annotations

from collections.abc import Iterable

from proxy.store.conversation import Conversation
from proxy.store.decision import Decision
from proxy.store.memory import Memory, Remembered


class Recall:
    """Answers about keys that were asked for; one call of `ask` is at most one round trip to the store."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._found: dict[bytes, Remembered | None] = {}

    async def ask(self, keys: Iterable[bytes]) -> None:
        """Look up those of `keys` that weren't yet."""
        new = [key for key in dict.fromkeys(keys) if key not in self._found]
        if new:
            self._found.update(zip(new, await self._memory.get_many(new), strict=True))

    @property
    def is_reliable(self) -> bool:
        """Whether what wasn't found isn't known to the store, which may be down."""
        return self._memory.is_reachable

    def decision(self, keys: Iterable[bytes]) -> Decision | None:
        """The first decision that stands under one of `keys`."""
        found = (self._found[key] for key in keys)
        return next((value for value in found if isinstance(value, Decision)), None)

    def conversation(self, key: bytes) -> Conversation | None:
        """The conversation under `key`."""
        found = self._found[key]
        return found if isinstance(found, Conversation) else None
