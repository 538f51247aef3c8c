"""A real store for the ledger, of either kind, that tests may bring to a halt."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from policies.config import StoreConfig
from proxy.ledger import open_sink
from proxy.ledger.sink import Sink
from tests.fakes.redis import RedisServer


@dataclass
class Store:
    """A real store that can be made to fail."""

    url: str
    server: RedisServer | None

    def sink(self, retention_s: int = 90 * 24 * 3600) -> Sink:
        """Another connection to it."""
        sink = open_sink(StoreConfig(url=self.url), retention_s)
        assert sink is not None
        return sink

    @contextlib.contextmanager
    def out_of_order(self) -> Iterator[None]:
        """For a while: Redis takes commands without an answer, somebody else holds SQLite's lock."""
        if self.server is not None:
            self.server.hang()
            yield
            self.server.resume()
        else:
            other = sqlite3.connect(self.url.removeprefix("sqlite:///"), isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            yield
            other.close()
