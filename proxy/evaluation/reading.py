"""Reads data sets: JSON lines, plain or in gzip. Knows files and lines; no shapes of rows (`rows`)."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from proxy.evaluation.cases import Case, DataSet, Labelled, Message, Request
from proxy.evaluation.rows import Row, RowError, case_of


def read(path: Path, limit: int | None = None, seed: int = 0) -> DataSet:
    """The cases in the file at `path`, in its order.

    With `limit`, as many of them, drawn at random: neighbouring rows often share a text, and gold positions
    often take turns. Of a conversation's requests only the last counts. Raises `RowError` for a file or a row that
    can't be used; blank lines are skipped.
    """
    try:
        rows = _last_requests(_rows(path))
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise RowError(f"{path}: not JSON lines in UTF-8, plain or gzip: {error}") from error
    if not rows:
        raise RowError(f"{path}: no rows")
    if limit is not None and limit < len(rows):
        drawn = sorted(random.Random(seed).sample(range(len(rows)), limit))  # noqa: S311 (no secret)
        rows = [rows[number] for number in drawn]
    return DataSet(
        name=path.name.removesuffix(".gz").removesuffix(".jsonl"),
        cases=tuple(row for row in rows if isinstance(row, Case)),
        labelled=tuple(row for row in rows if isinstance(row, Labelled)),
        messages=_messages(row for row in rows if isinstance(row, Request)),
    )


def _last_requests(rows: Iterable[Row]) -> list[Row]:
    """The rows without requests that a later one of their conversation goes on from."""
    found = list(rows)
    last = {row.conversation: row.place for row in found if isinstance(row, Request)}
    return [row for row in found if not isinstance(row, Request) or last[row.conversation] == row.place]


def _messages(requests: Iterable[Request]) -> tuple[Message, ...]:
    """All that is said in them, each text once."""
    found: dict[str, Message] = {}
    for request in requests:
        for message in request.messages:
            found.setdefault(message.text, message)
    return tuple(found.values())


def _rows(path: Path) -> Iterator[Row]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                place = f"{path}:{number}"
                yield case_of(_parsed(line, place), place)


def _parsed(line: str, place: str) -> object:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise RowError(f"{place}: not JSON: {error.msg} at column {error.colno}") from error
    except RecursionError:
        raise RowError(f"{place}: nested too deeply") from None
