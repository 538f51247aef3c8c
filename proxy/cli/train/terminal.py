"""Shows how a training goes. Knows figures by name."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from compressors.training import Figures, Schedule


class Terminal:
    """Shows on standard error how a training goes."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[state]}"))
        self._bar = Progress(*columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal)
        self._task = self._bar.add_task("reading", total=None, state="")

    def __enter__(self) -> Terminal:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def preparing(self, what: str) -> None:
        """See `Report`."""
        self._bar.update(self._task, state=what)

    def step(self, schedule: Schedule, tokens: int, loss: float) -> None:
        """See `Report`."""
        state = (
            f"step {schedule.steps}  loss {loss:.3f}  {tokens / max(schedule.elapsed_s, 1e-9):,.0f} tokens/s"
        )
        self._bar.update(
            self._task, description="training", total=1.0, completed=schedule.progress, state=state
        )

    def validated(self, figures: Figures, *, is_best: bool) -> None:
        """See `Report`."""
        self._bar.console.print(table(figures, "best so far" if is_best else ""))


def table(figures: Figures, title: str = "") -> Table:
    """Each source's measures, and their means."""
    measures = list(dict.fromkeys(name for values in figures.values() for name in values))
    table = Table(title=title or None, title_justify="left")
    table.add_column("held out")
    for name in measures:
        table.add_column(name.replace("_", " "), justify="right")
    for source, values in figures.items():
        table.add_row(source, *(_number(values[name]) for name in measures))
    means = (sum(values[name] for values in figures.values()) / len(figures) for name in measures)
    table.add_row("mean", *map(_number, means), style="bold")
    return table


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3f}"
