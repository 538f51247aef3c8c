"""The ledger in a table beside the decisions, shared by the workers of one machine."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from proxy.ledger.counts import BUCKET_S, Counts, Dimensions, Row, Series
from proxy.ledger.sink import Batch, SinkError
from proxy.store.sqlite_file import connect, transaction

_NAMES = ("bucket", *Dimensions._fields)
_KEY = ", ".join(_NAMES)
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS ledger (
    bucket INTEGER, {", ".join(f"{name} TEXT" for name in Dimensions._fields[:-1])}, cluster INTEGER,
    {", ".join(f"{name} INTEGER NOT NULL DEFAULT 0" for name in Counts._fields)},
    PRIMARY KEY ({_KEY})
) WITHOUT ROWID
"""
_ADD = (  # all from the names of fields
    f"INSERT INTO ledger ({_KEY}, {', '.join(Counts._fields)})"  # noqa: S608
    f" VALUES ({', '.join('?' * (len(_NAMES) + len(Counts._fields)))})"
    f" ON CONFLICT ({_KEY}) DO UPDATE SET {', '.join(f'{name} = {name} + excluded.{name}' for name in Counts._fields)}"
)
_READ = (
    f"SELECT {_KEY}, {', '.join(Counts._fields)} FROM ledger WHERE bucket > ? AND bucket < ? ORDER BY bucket"  # noqa: S608
)
_PURGE_EVERY_S = 3600.0
_PAGE_ROWS = 5000


class SqliteSink:
    """One writing connection on a thread of its own, which waits for other writers; readers open their own."""

    def __init__(self, path: Path, retention_s: int, timeout_s: float = 2.0) -> None:
        self._path = path
        self._retention_s = retention_s
        self._timeout_s = timeout_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="laconic-ledger")
        self._connection: sqlite3.Connection | None = None
        self._purged = 0.0

    async def write(self, batch: Batch) -> None:
        """Add a batch in one transaction: what raises wasn't written."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._write, batch)

    async def read(self, since_s: float, until_s: float) -> AsyncIterator[Row]:
        """The rows in a span of time; raises `SinkError`. Creates neither file nor table."""
        if not self._path.exists():
            raise SinkError("there is no such file")
        loop = asyncio.get_running_loop()
        try:
            with contextlib.closing(
                await loop.run_in_executor(self._thread, self._open_to_read)
            ) as connection:
                if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'ledger'").fetchone():
                    return
                cursor = connection.execute(_READ, (since_s - BUCKET_S, until_s))
                while rows := await loop.run_in_executor(self._thread, cursor.fetchmany, _PAGE_ROWS):
                    for row in rows:
                        yield _row(row)
        except sqlite3.Error as error:
            raise SinkError(str(error)) from error

    async def close(self) -> None:
        """Close the file."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown()

    def _open_to_read(self) -> sqlite3.Connection:
        uri = f"{self._path.absolute().as_uri()}?mode=ro"
        return sqlite3.connect(uri, uri=True, timeout=self._timeout_s, check_same_thread=False)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _write(self, batch: Batch) -> None:
        if self._connection is None:
            self._connection = connect(self._path, _SCHEMA, self._timeout_s)
        connection, now = self._connection, time.time()
        with transaction(connection):
            if now - self._purged > _PURGE_EVERY_S:
                connection.execute("DELETE FROM ledger WHERE bucket < ?", (now - self._retention_s,))
                self._purged = now
            rows = batch.counts.items()
            connection.executemany(_ADD, [(bucket, *where, *counts) for (bucket, where), counts in rows])


def _row(values: tuple[Any, ...]) -> Row:
    at = len(_NAMES)
    return Series(values[0], Dimensions(*values[1:at])), Counts(*values[at:])
