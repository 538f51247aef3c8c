"""Files of rows: JSON lines, plain or in gzip. Knows files and lines; what a row means is for others to say.

Errors name file and line, never what stands there: rows may be private.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from compressors.errors import CompressionError

Row = dict[str, Any]
_SURROGATES = "replace"
"""JSON may hold halves of characters, UTF-8 may not: they become `?`."""


def read(path: Path) -> Iterator[tuple[str, Row]]:
    """Each row with its place, `FILE:LINE`; blank lines are skipped.

    Raises `CompressionError` for a file that can't be read and a line that is no JSON object.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    place = f"{path}:{number}"
                    yield place, _parsed(line, place)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        kind = type(error).__name__
        raise CompressionError(f"{path}: not JSON lines in UTF-8, plain or gzip: {kind}") from error


def name_of(path: Path) -> str:
    """What a file's rows are called: its name without .gz and .jsonl or .json."""
    return path.name.removesuffix(".gz").removesuffix(".jsonl").removesuffix(".json")


def text_of(row: Row, field: str, place: str) -> str:
    """A field that must hold a text with more than white space; raises `CompressionError`."""
    value = row.get(field)
    if not isinstance(value, str) or not value.strip():
        found = "an empty one" if isinstance(value, str) else type(value).__name__
        raise CompressionError(f"{place}: {field}: expected a text, found {found}")
    return value


def write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a file of `rows`, whole or not at all; in gzip if its name ends in `.gz`."""
    part = path.with_name(path.name + ".part")
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(part, "wt", encoding="utf-8", errors=_SURROGATES) as file:
        file.writelines(map(_line, rows))
    part.replace(path)


class Growing:
    """A context manager: a plain file to which rows are added, so that an interruption loses none of them."""

    def __init__(self, path: Path) -> None:
        """Raises `CompressionError` for a file in gzip."""
        if path.suffix == ".gz":
            raise CompressionError(f"{path}: rows are added one by one, which gzip can't; leave out .gz")
        self._path = path

    def __enter__(self) -> Self:
        """Open or make the file; a row that was broken off is removed.

        Raises `CompressionError` for a file that ends in anything else.
        """
        self._file = self._path.open("a+b")
        self._file.seek(0)
        whole, last = 0, b""
        for last in self._file:
            whole += len(last)
        if last and not last.endswith(b"\n"):
            if not last.startswith(b"{"):
                self._file.close()
                raise CompressionError(f"{self._path} holds no rows; name another file")
            self._end(whole - len(last), last)
        return self

    def _end(self, start: int, last: bytes) -> None:
        """Complete the file's last line, which has no end, if it is a row; else cut it off at `start`."""
        try:
            json.loads(last)
        except ValueError:
            self._file.truncate(start)
        else:
            self._file.write(b"\n")
            self._file.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def rows(self) -> Iterator[tuple[str, Row]]:
        """What is there already; see `read`."""
        return read(self._path)

    def add(self, row: Mapping[str, Any]) -> None:
        """Write a row and hand it to the system."""
        self._file.write(_line(row).encode(errors=_SURROGATES))
        self._file.flush()


def _parsed(line: str, place: str) -> Row:
    try:
        row = json.loads(line)
        if "\\ud" in line.lower():
            row = json.loads(_line(row).encode(errors=_SURROGATES))
    except json.JSONDecodeError as error:
        raise CompressionError(f"{place}: not JSON: {error.msg} at column {error.colno}") from error
    except RecursionError:
        raise CompressionError(f"{place}: nested too deeply") from None
    if not isinstance(row, dict):
        raise CompressionError(f"{place}: expected a JSON object, found {type(row).__name__}")
    return row


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"
