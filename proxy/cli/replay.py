"""`laconic replay`: what recorded requests would have cost under a configuration."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from policies.economics import UnknownPriceError
from proxy import logs
from proxy.cli.files import UnusableFileError, read_config_file, read_settings
from proxy.loopback import NotServingError
from proxy.replay.journal import Journal, JournalError
from proxy.replay.reading import Traffic, TrafficError, read
from proxy.replay.record import record
from proxy.replay.serving import proxy_before_recorder
from proxy.replay.session import Candidate, Session
from proxy.replay.summary import Summary, summaries
from proxy.replay.tables import CAPTION, Grid, grids
from proxy.replay.tariffs import billers
from proxy.settings import Settings

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUTPUT = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.command("replay")
@click.argument("paths", metavar="TRAFFIC...", nargs=-1, required=True, type=_FILE)
@click.option(
    "--config", "config_paths", metavar="FILE", multiple=True, required=True, type=_FILE, help="Repeatable."
)
@click.option(
    "--bill-as",
    metavar="MODEL",
    multiple=True,
    help="Bill as this model; repeatable.  [default: each request's own]",
)
@click.option(
    "--cache",
    type=click.Choice(["conversation", "shared"]),
    default="conversation",
    show_default=True,
    help="Whether each conversation starts with a cold provider cache, or all share one.",
)
@click.option(
    "--gap",
    "gap_s",
    metavar="SECONDS",
    type=click.FloatRange(0),
    default=30.0,
    show_default=True,
    help="Between turns, where no times were recorded.",
)
@click.option("--limit", type=click.IntRange(1), help="Only the first so many conversations of each file.")
@click.option(
    "--concurrency", type=click.IntRange(1), default=4, show_default=True, help="Conversations at a time."
)
@click.option("--json", "json_path", metavar="FILE", type=_OUTPUT, help="Write all figures.")
@click.option("--html", "html_path", metavar="FILE", type=_OUTPUT, help="Write a page with tables and plots.")
@click.option(
    "--journal",
    "journal_path",
    metavar="FILE",
    type=_OUTPUT,
    help="Note what is done; the same command goes on from there after an interruption.",
)
def command(
    paths: tuple[Path, ...],
    config_paths: tuple[Path, ...],
    bill_as: tuple[str, ...],
    cache: str,
    gap_s: float,
    limit: int | None,
    concurrency: int,
    json_path: Path | None,
    html_path: Path | None,
    journal_path: Path | None,
) -> None:
    """Show what the requests in TRAFFIC would have cost under each configuration, and without laconic.

    Requests are sent through the real proxy to a stand-in for the upstream on this machine: nothing leaves it, no
    key is needed, and no model answers. Then the provider's bill is simulated, its prompt cache included.

    TRAFFIC are files of JSON lines, plain or .gz. A line is a chat-completions body (conversations are recognised by
    their growing messages), {"conversation": …, "turn": …, "request": body}, or what `laconic serve --capture` writes.

    A prefix break is a request that doesn't begin with the one before although the original does: the provider's
    cache then misses. Reports hold numbers and names, never a text.
    """
    shared = cache == "shared"
    _check_outputs(json_path, html_path)
    if shared and journal_path is not None:
        raise UnusableFileError(
            "--journal needs --cache conversation: with a shared cache, all is billed in one go"
        )
    settings = read_settings()
    logs.configure(logging.ERROR)
    try:
        traffic = _read(paths, limit)
        candidates = _candidates(config_paths, settings)
        session = _session(traffic, candidates, bill_as, gap_s=gap_s, shared=shared, concurrency=concurrency)
        with Journal(journal_path) as journal:
            found = _run(session, candidates, settings, journal)
    except (TrafficError, JournalError, NotServingError, UnknownPriceError) as error:
        raise UnusableFileError(str(error)) from error
    shown = list(grids(found))
    if json_path is not None:
        options = {"cache": cache, "gap_s": gap_s, "limit": limit, "bill_as": list(bill_as)}
        text = json.dumps(record(found, options), indent=1, ensure_ascii=False)
        json_path.write_text(text + "\n", encoding="utf-8")
    if html_path is not None:
        _write_page(html_path, found, shown)
    _print(shown, traffic)


def _check_outputs(json_path: Path | None, html_path: Path | None) -> None:
    """Fail before the work, not after it."""
    from proxy.evaluation.plot import can_plot

    for path in (json_path, html_path):
        if path is not None and not path.absolute().parent.is_dir():
            raise UnusableFileError(f"{path}: its folder doesn't exist")
    if html_path is not None and not can_plot():
        raise UnusableFileError("--html needs matplotlib: pip install 'laconic[eval]'")


def _read(paths: Sequence[Path], limit: int | None) -> list[Traffic]:
    traffic = [read(path, limit) for path in paths]
    for name, count in Counter(each.name for each in traffic).items():
        if count > 1:
            raise TrafficError(f"{count} files are called {name}: their figures couldn't be told apart")
    return traffic


def _candidates(paths: Sequence[Path], settings: Settings) -> list[Candidate]:
    stems = Counter(path.stem for path in paths)
    if len(set(paths)) < len(paths):
        raise UnusableFileError("--config: the same file is given twice")
    return [
        Candidate(
            path.stem if stems[path.stem] == 1 else str(path),
            path.read_bytes(),
            read_config_file(path, settings),
        )
        for path in paths
    ]


def _session(
    traffic: Sequence[Traffic],
    candidates: Sequence[Candidate],
    bill_as: Sequence[str],
    *,
    gap_s: float,
    shared: bool,
    concurrency: int,
) -> Session:
    models = {
        request.model
        for each in traffic
        for conversation in each.conversations
        for request in conversation.requests
    }
    rules = candidates[0].config.models
    settings = {
        "bill_as": list(bill_as),
        "gap_s": gap_s,
        "models": {glob: rule.model_dump() for glob, rule in rules.items()},
    }
    found = billers(bill_as, models, rules, shared=shared)
    return Session(traffic, found, gap_s, shared, concurrency, settings)


def _run(
    session: Session, candidates: Sequence[Candidate], settings: Settings, journal: Journal
) -> list[Summary]:
    found: list[Summary] = []
    open_stage = functools.partial(proxy_before_recorder, settings=settings)
    for candidate in candidates:
        with _progress(candidate.name, len(session.conversations)) as advance:
            done = session.run(candidate, open_stage, journal, advance)
        for billed_as in session.billers:
            found += summaries(candidate.name, done, billed_as)
    return found


@contextlib.contextmanager
def _progress(name: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar on a terminal, else nothing; gives what is to be called for each conversation."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("conversations"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(name, total=total)
        yield lambda: progress.advance(task)


def _print(shown: Sequence[Grid], traffic: Sequence[Traffic]) -> None:
    console, errors = Console(), Console(stderr=True, highlight=False, markup=False)
    for grid in shown:
        table = Table(title=grid.title, title_justify="left", min_width=len(grid.title))
        for number, column in enumerate(grid.columns):
            table.add_column(column, justify="right" if number else "left", overflow="fold")
        for row in grid.rows:
            table.add_row(*row)
        console.print(table)
    console.print(CAPTION, style="dim")
    for each in traffic:
        if each.left_out:
            errors.print(f"{each.name}: {each.left_out} requests that are no chat completions were left out")


def _write_page(path: Path, found: Sequence[Summary], shown: Sequence[Grid]) -> None:
    from proxy.replay.page import page
    from proxy.replay.plots import plots

    path.write_text(page(shown, plots(found)), encoding="utf-8")
