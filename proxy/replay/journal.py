"""The file from which an interrupted replay goes on: a line for each conversation that is done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import ValidationError

from proxy.replay.outcomes import REPLAYED, Replayed

_BEGINNING = b'{"run":'


class JournalError(Exception):
    """A file that is no journal; the message names file and line."""


def run_digest(config: bytes, traffic_digest: str, settings: Mapping[str, object]) -> str:
    """Says whether outcomes are those of the same configuration, the same traffic and the same settings."""
    named = json.dumps([hashlib.sha256(config).hexdigest(), traffic_digest, dict(settings)], sort_keys=True)
    return hashlib.sha256(named.encode()).hexdigest()[:32]


class Journal:
    """A context manager; lines of other runs are left alone. Without a path it forgets at its end."""

    def __init__(self, path: Path | None) -> None:
        """Reads what is there; raises `JournalError`."""
        self._path = path
        self._known: dict[tuple[str, str], Replayed] = {}
        """By run and conversation."""
        lines = path.read_bytes().split(b"\n") if path is not None and path.exists() else []
        self._torn = bool(lines and lines[-1])
        for number, line in enumerate(lines, 1):
            self._read(line, f"{path}:{number}")

    def find(self, run: str, conversation: str) -> Replayed | None:
        """What was written for a conversation, if it was done."""
        return self._known.get((run, conversation))

    def add(self, replayed: Replayed) -> None:
        """Note that a conversation is done."""
        self._known[replayed.run, replayed.conversation] = replayed
        if self._path is not None:
            self._file.write(REPLAYED.dump_json(replayed) + b"\n")
            self._file.flush()

    def _read(self, line: bytes, place: str) -> None:
        if not line.strip():
            return
        try:
            replayed = REPLAYED.validate_json(line)
        except ValidationError as error:
            if line[: len(_BEGINNING)] == _BEGINNING[: len(line)]:  # broken off while it was written
                return
            raise JournalError(f"{place}: not a line of a replay's journal") from error
        self._known[replayed.run, replayed.conversation] = replayed

    def __enter__(self) -> Self:
        if self._path is not None:
            self._file = self._path.open("ab")
            if self._torn:
                self._file.write(b"\n")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._path is not None:
            self._file.close()
