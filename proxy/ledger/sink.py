"""Where counts are kept. Failures are exceptions here; `Ledger` keeps what could not be written."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from policies.config import StoreConfig
from proxy.ledger.counts import Counts, Row, Series
from proxy.settings import sqlite_path

RETENTION_S = 90 * 24 * 3600


class SinkError(Exception):
    """A store that can't be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one ledger adds at once."""

    writer: str
    """Names the ledger, unlike any other's."""
    number: int
    """Counts the ledger's batches from 1; they come in order."""
    counts: Mapping[Series, Counts]


class Sink(Protocol):
    """Sums in a store that workers or replicas share."""

    async def write(self, batch: Batch) -> None:
        """Add a batch; raises if it may not be there, and when it is then written again it counts once."""

    def read(self, since_s: float, until_s: float) -> AsyncIterator[Row]:
        """The rows of buckets that end after `since_s` and begin before `until_s`; raises `SinkError`."""

    async def close(self) -> None:
        """Release connections and files."""


def open_sink(store: StoreConfig, retention_s: int = RETENTION_S) -> Sink | None:
    """The sink beside the store's decisions; None for `memory:`, which keeps no ledger. Connects when it is used."""
    path = sqlite_path(store)
    if path is not None:
        from proxy.ledger.sqlite import SqliteSink

        return SqliteSink(Path(path), retention_s)
    if store.url != "memory:":
        from proxy.ledger.redis import RedisSink

        return RedisSink(store.url, retention_s)
    return None
