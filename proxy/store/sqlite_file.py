"""Opening a SQLite file that threads and processes share."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

_SETUP_S = 5.0  # workers that start together take turns to make the file


def connect(path: Path, schema: str, timeout_s: float) -> sqlite3.Connection:
    """Open `path` in WAL mode, so that readers don't wait for writers, and make the table of `schema`.

    The connection commits each statement unless told to BEGIN, and waits `timeout_s` for others that write.
    Raises sqlite3.Error.
    """
    connection = sqlite3.connect(path, timeout=_SETUP_S, isolation_level=None)
    try:
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(schema)
        connection.execute(f"PRAGMA busy_timeout={int(timeout_s * 1000)}")
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write all that is written within, or nothing; raises sqlite3.Error where others write for too long."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


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
