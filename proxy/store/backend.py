"""What a durable store must be able to do. Failures are exceptions here; `Memory` turns them into misses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class Backend(Protocol):
    """Bytes under keys, shared by workers or replicas, forgotten after a time without use."""

    name: str
    """Short word for metrics."""

    async def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Values of `keys` in their order, None where unknown, in one round trip; renews their lifetime."""

    async def settle(self, items: Mapping[bytes, bytes], newer: Mapping[bytes, bytes]) -> list[bytes]:
        """Write those of `items` that aren't there yet, and `newer` in any case; in one round trip.

        Returns what is there now for `items`, in their order: the first writer wins, so that replicas which
        decided at the same time send the same bytes.
        """

    async def close(self) -> None:
        """Release connections and files."""
