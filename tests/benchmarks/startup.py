"""How long a side takes to its first answer, what memory it then holds, and what it imported.

Knows no load.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from tests.benchmarks.sides import Side

HEAVY = frozenset({"torch", "transformers", "litellm"})
"""What a proxy without a model has no use for."""


@dataclass(frozen=True, slots=True)
class Startup:
    """The medians over some starts of one side."""

    side: str
    first_answer_s: float
    resident_bytes: int
    """Of the process and its children, after the first answer."""


def measure(make: Callable[[], Side], body: bytes, starts: int) -> Startup:
    """Start a side afresh `starts` times, each on a new port."""
    seconds, memory = [], []
    for _ in range(starts):
        side = make()
        assert side.server is not None
        with side.server as server:
            seconds.append(server.seconds_to_answer(side.url, body))
            memory.append(server.resident_bytes())
    return Startup(side.name, statistics.median(seconds), int(statistics.median(memory)))


def heavy_imports(side: Side, body: bytes) -> list[str]:
    """Which of `HEAVY` a side has imported once it has answered; it must run with `IMPORT_TIMES`."""
    assert side.server is not None
    with side.server as server:
        server.seconds_to_answer(side.url, body)
    lines = server.log.read_text(errors="replace").splitlines()
    modules = {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}
    assert "asyncio" in modules, "the import times are missing from the log"
    return sorted(HEAVY & modules)


IMPORT_TIMES = {"PYTHONPROFILEIMPORTTIME": "1"}
"""Environment under which Python writes a line for every module it imports."""
