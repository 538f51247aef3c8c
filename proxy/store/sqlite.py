"""Decisions in a SQLite file, shared by the workers of one machine."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS decisions (key BLOB PRIMARY KEY, value BLOB NOT NULL, expires REAL NOT NULL)
WITHOUT ROWID
"""
_PURGE_EVERY_S = 600.0
_SETUP_S = 5.0  # workers that start together take turns to make the file


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

    async def settle(self, items: Mapping[bytes, bytes]) -> list[bytes]:
        """Insert what is absent or expired, in one transaction, then read what is there."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._write, items)

    async def close(self) -> None:
        """Close the file."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown()

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = sqlite3.connect(self._path, timeout=_SETUP_S, isolation_level=None)
            _write_ahead(connection)
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute(_SCHEMA)
            connection.execute(f"PRAGMA busy_timeout={int(self._timeout_s * 1000)}")
            self._connection = connection
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
            with contextlib.suppress(
                sqlite3.OperationalError
            ):  # somebody writes: the next reader will renew them
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany("UPDATE decisions SET expires = ? WHERE key = ?", ageing)
                connection.execute("COMMIT")
        found = {key: value for key, value, _ in rows}
        return [found.get(key) for key in keys]

    def _write(self, items: Mapping[bytes, bytes]) -> list[bytes]:
        connection, now = self._connect(), time.time()
        connection.execute("BEGIN IMMEDIATE")
        try:
            if now - self._purged > _PURGE_EVERY_S:
                connection.execute("DELETE FROM decisions WHERE expires < ?", (now,))
                self._purged = now
            connection.executemany(
                "INSERT INTO decisions VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE"
                " SET value = excluded.value, expires = excluded.expires WHERE expires <= ?",
                [(key, value, now + self._ttl_s, now) for key, value in items.items()],
            )
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        found = self._read(list(items))
        return [value if there is None else there for value, there in zip(items.values(), found, strict=True)]


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to WAL mode; SQLite itself doesn't wait when another process is switching at the same moment."""
    until = time.monotonic() + _SETUP_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
