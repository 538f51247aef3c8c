"""`python -m tests.benchmarks.headroom FOLDER…`: what Headroom and laconic save on the same traffic, side by side.

The folders are those of `python -m tests.benchmarks.headroom.record`, one for each side. Bodies are billed by
`laconic replay`'s simulator, caches cold for each conversation, 30 seconds between requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click
from rich.console import Console

from policies.economics import ModelFacts
from proxy.prices import facts_of
from tests.benchmarks.headroom.figures import Figures, as_they_came, recorded, replayed
from tests.benchmarks.headroom.recording import Recording, read
from tests.benchmarks.report import Table, heading, record

RESULTS = Path(__file__).with_name("RESULTS.md")
COLUMNS = (
    *("side", "input tokens", "read from cache", "prefix breaks", "USD", "difference", "dearer"),
    *("not sent", "added p50 ms", "added p99 ms", "numbers lost"),
)


@click.command()
@click.argument(
    "folders", metavar="FOLDER...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)
@click.option(
    "--replay", type=click.Path(exists=True, path_type=Path), help="What `laconic replay --json` wrote."
)
@click.option(
    "--bill-as", metavar="MODEL", multiple=True, default=("gpt-4o", "claude-sonnet-4-5"), show_default=True
)
@click.option("--record", "is_recorded", is_flag=True, help="Append the tables to RESULTS.md.")
def command(
    folders: tuple[Path, ...], replay: Path | None, bill_as: tuple[str, ...], is_recorded: bool
) -> None:
    """Show the tables."""
    recordings = [read(folder) for folder in folders]
    tables = list(_tables(recordings, replay, bill_as))
    title = heading(_versions(recordings), _settings(recordings))
    console = Console(width=160)
    console.print(title, markup=False)
    for table in tables:
        table.show(console)
        console.print()
    if is_recorded:
        record(RESULTS, title, tables)


def _tables(recordings: Sequence[Recording], replay: Path | None, bill_as: Sequence[str]) -> Iterator[Table]:
    for traffic, conversations in recordings[0].traffic.items():
        for model in bill_as:
            facts = _always(model)
            rows = [as_they_came(conversations, facts)]
            rows += [
                recorded(each.side, each.traffic[traffic], facts)
                for each in recordings
                if traffic in each.traffic
            ]
            if replay is not None:
                rows += replayed(replay, traffic, model)
            yield Table(f"{traffic}, billed as {model}", COLUMNS, [_row(figures) for figures in rows])


def _always(model: str) -> Callable[[str], ModelFacts]:
    facts = facts_of(model)
    if facts is None:
        raise click.UsageError(f"--bill-as: no price is known of the model {model!r}")
    return lambda _: facts


def _row(figures: Figures) -> tuple[str, ...]:
    held, lost = figures.numbers or (0, 0)
    return (
        figures.side,
        f"{figures.usage.input_tokens:,}",
        f"{100 * figures.cached_share:.1f} %",
        f"{figures.breaks:,}",
        f"{figures.usd:.4f}",
        f"{100 * figures.change:+.1f} %",
        f"{figures.dearer:,}",
        f"{figures.unsent:,}",
        _ms(figures.added_p50_ms),
        _ms(figures.added_p99_ms),
        f"{lost:,} of {held:,}" if figures.numbers else "–",
    )


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:,.1f}"


def _versions(recordings: Sequence[Recording]) -> dict[str, str]:
    found = [(name, number) for each in recordings for name, number in each.about["versions"].items()]
    return {name: number for name, number in found if name in ("headroom-ai", "laconic")}


def _settings(recordings: Sequence[Recording]) -> str:
    runs = (
        f"{each.side}: `{each.about['command']}` ({each.about['date']}, load {each.about['load_average']:.1f})"
        for each in recordings
    )
    return "; ".join(runs)


if __name__ == "__main__":
    command()
