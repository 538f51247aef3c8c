"""Turns figures into tables: rich on the terminal, markdown in RESULTS.md, and JSON.

Knows no server; measures nothing but the machine it runs on.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as RichTable

from tests.benchmarks.load import Measurement
from tests.benchmarks.startup import Startup


@dataclass(frozen=True, slots=True)
class Cell:
    """One kind of work: what is asked for, how large, over how many connections."""

    work: str
    body_bytes: int
    connections: int


@dataclass(frozen=True, slots=True)
class Result:
    """What one side did in one cell."""

    cell: Cell
    side: str
    measurement: Measurement
    load_average: float
    """Of the last minute, before the side's first run."""


@dataclass(frozen=True, slots=True)
class Table:
    """A title, column names, and rows of text."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]

    def markdown(self) -> str:
        """The table in GitHub's markdown."""
        rule = ("---:",) * len(self.columns)
        lines = [f"| {' | '.join(row)} |" for row in [self.columns, rule, *self.rows]]
        return f"### {self.title}\n\n" + "\n".join(lines) + "\n"

    def show(self, console: Console) -> None:
        """Print the table."""
        table = RichTable(
            title=self.title,
            title_justify="left",
            box=SIMPLE_HEAD,
            show_edge=False,
            pad_edge=False,
            padding=(0, 1, 0, 0),
        )
        for column, *cells in zip(self.columns, *self.rows, strict=True):
            # In a narrow terminal the names of the columns wrap, the figures don't.
            table.add_column(column, justify="right", min_width=max(map(len, [*column.split(), *cells])))
        for row in self.rows:
            table.add_row(*row)
        console.print(table)


def load_tables(results: Sequence[Result]) -> list[Table]:
    """One table a kind of work; what is added is the difference to the direct side of the same cell."""
    columns = ("conns", "side", "req/s", "p50 ms", "p99 ms", "added p50", "added p99", "times litellm")
    by_work: dict[str, list[tuple[str, ...]]] = {}
    by_place = {(result.cell, result.side): result.measurement for result in results}
    for result in results:
        title = f"{result.cell.work}, {result.cell.body_bytes // 1024} KB"
        direct = by_place.get((result.cell, "direct"))
        litellm = by_place.get((result.cell, "litellm"))
        by_work.setdefault(title, []).append(_load_row(result, direct, litellm))
    return [Table(title, (*columns, "errors", "load"), rows) for title, rows in by_work.items()]


def _load_row(result: Result, direct: Measurement | None, litellm: Measurement | None) -> tuple[str, ...]:
    figures = result.measurement
    proxied = direct if result.side != "direct" else None
    return (
        str(result.cell.connections),
        result.side,
        f"{figures.requests_per_s:,.0f}",
        _ms(figures.p50_ms),
        _ms(figures.p99_ms),
        _ms(figures.p50_ms - proxied.p50_ms) if proxied else "",
        _ms(figures.p99_ms - proxied.p99_ms) if proxied else "",
        f"{figures.requests_per_s / litellm.requests_per_s:,.0f}" if litellm else "",
        str(figures.errors),
        f"{result.load_average:.1f}",
    )


def _ms(value: float) -> str:
    return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"


def startups_table(startups: Sequence[Startup], heavy_imports: list[str] | None) -> Table:
    """One row a side; None for laconic's imports of torch, transformers, litellm if nobody looked."""
    columns = ("side", "first answer after s", "resident MB", "heavy imports")
    rows: list[tuple[str, ...]] = []
    for startup in startups:
        looked_into = startup.side == "laconic" and heavy_imports is not None
        imports = ", ".join(heavy_imports or ["none"]) if looked_into else ""
        memory = f"{startup.resident_bytes / 2**20:,.0f}"
        rows.append((startup.side, f"{startup.first_answer_s:.2f}", memory, imports))
    return Table("From start to first answer", columns, rows)


def processor() -> str:
    """The processor's name as the kernel gives it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def heading(versions: dict[str, str], settings: str) -> str:
    """When, where and with what the figures were taken."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"## {now}: {processor()}, {os.cpu_count()} cores\n\n{named}; {settings}.\n"


def record(path: Path, title: str, tables: Sequence[Table]) -> None:
    """Append a section to the file of results."""
    sections = [title, *(table.markdown() for table in tables)]
    with path.open("a") as file:
        file.write("\n" + "\n".join(sections))


def write_json(
    path: Path,
    versions: dict[str, str],
    results: Sequence[Result],
    startups: Sequence[Startup],
    heavy_imports: list[str] | None,
) -> None:
    """All figures, for machines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figures = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": processor(),
        "cores": os.cpu_count(),
        "versions": versions,
        "under_load": [asdict(result) for result in results],
        "startup": [asdict(startup) for startup in startups],
        "heavy_imports": heavy_imports,
    }
    path.write_text(json.dumps(figures, indent=2) + "\n")
