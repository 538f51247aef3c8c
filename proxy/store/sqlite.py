"""Decisions in a SQLite file, shared by the workers of one machine."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from proxy.store.sqlite_file import connect, transaction

_SCHEMA = """
CREATE TABLE IF NOT EXISTS decisions (key BLOB PRIMARY KEY, value BLOB NOT NULL, expires REAL NOT NULL)
WITHOUT ROWID
"""
_PURGE_EVERY_S = 600.0


class SqliteBackend:
    """One connection on a thread of its own; the file is in WAL mode, so that readers don't wait for writers."""

    name = "sqlite"

    def __init__(self, path: Path, ttl_s: int, timeout_s: float = 0.25) -> None:
        self._path = path
        self._ttl_s = ttl_s
        self._timeout_s = timeout_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="laconic-sqlite")
        self._connection: sqlite3.Connection | None = None
        self._purged = 0.0

    async def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Values of `keys`; a hit in the second half of its life lives for another `ttl_s`."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._read, keys)

    async def settle(self, items: Mapping[bytes, bytes], newer: Mapping[bytes, bytes]) -> list[bytes]:
        """Insert `newer`, and of `items` what is absent or expired, in one transaction; read what is there."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._write, items, newer)

    async def close(self) -> None:
        """Close the file."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown()

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path, _SCHEMA, self._timeout_s)
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _read(self, keys: Sequence[bytes]) -> list[bytes | None]:
        connection, now = self._connect(), time.time()
        marks = ",".join("?" * len(keys))
        rows = connection.execute(
            f"SELECT key, value, expires FROM decisions WHERE key IN ({marks}) AND expires > ?",  # noqa: S608 (only marks)
            (*keys, now),
        ).fetchall()
        ageing = [(now + self._ttl_s, key) for key, _, expires in rows if expires < now + self._ttl_s / 2]
        if ageing:
            # If somebody writes, the next reader will renew them.
            with contextlib.suppress(sqlite3.OperationalError), transaction(connection):
                connection.executemany("UPDATE decisions SET expires = ? WHERE key = ?", ageing)
        found = {key: value for key, value, _ in rows}
        return [found.get(key) for key in keys]

    def _write(self, items: Mapping[bytes, bytes], newer: Mapping[bytes, bytes]) -> list[bytes]:
        connection, now = self._connect(), time.time()
        with transaction(connection):
            if now - self._purged > _PURGE_EVERY_S:
                connection.execute("DELETE FROM decisions WHERE expires < ?", (now,))
                self._purged = now
            connection.executemany(
                "INSERT INTO decisions VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE"
                " SET value = excluded.value, expires = excluded.expires WHERE expires <= ?",
                [(key, value, now + self._ttl_s, now) for key, value in items.items()],
            )
            connection.executemany(
                "INSERT OR REPLACE INTO decisions VALUES (?, ?, ?)",
                [(key, value, now + self._ttl_s) for key, value in newer.items()],
            )
        found = self._read(list(items)) if items else []
        return [value if there is None else there for value, there in zip(items.values(), found, strict=True)]
