"""`laconic stats`: what was saved, from the ledger in the store."""

from __future__ import annotations

import asyncio
import csv
import json
import re
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click
from pydantic import ValidationError
from rich.console import Console

from policies.config import StoreConfig
from proxy.cli.files import UnusableFileError, read_config_file, read_settings
from proxy.ledger import open_sink
from proxy.ledger.counts import BUCKET_S, Counts
from proxy.ledger.sink import SinkError
from proxy.ledger.summary import GROUPINGS, Summary, summarise
from proxy.ledger.tables import holdout_lines, tables

_UNITS_S = {"m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"([0-9]{1,6})([mhd])")


def _seconds(_: click.Context, __: click.Parameter, value: str) -> int:
    """The length of a duration."""
    match = _DURATION.fullmatch(value)
    if match is None:
        raise click.BadParameter(f"found {value!r}; allowed: a number with m, h or d, such as 90m, 24h or 7d")
    return int(match[1]) * _UNITS_S[match[2]]


@click.command("stats")
@click.option(
    "--config",
    "config_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The proxy's configuration; its store is read.",
)
@click.option("--store", "url", metavar="URL", help="The store to read, in place of the configuration's.")
@click.option(
    "--since",
    "since_s",
    metavar="DURATION",
    callback=_seconds,
    default="24h",
    show_default=True,
    help="So long ago …",
)
@click.option(
    "--until",
    "until_s",
    metavar="DURATION",
    callback=_seconds,
    default="0m",
    help="… until so long ago.  [default: now]",
)
@click.option("--by", type=click.Choice(list(GROUPINGS)), help="Split by this; days and hours are in UTC.")
@click.option("--json", "as_json", is_flag=True, help="Print exact figures, the holdout's too, as JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print the groups, or else the total, as CSV.")
def command(
    config_path: Path | None,
    url: str | None,
    since_s: int,
    until_s: int,
    by: str | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Show what was saved, from the ledger that `laconic serve` keeps in its store.

    Saved tokens are the tokens of message texts as they came less those of the texts as they were sent, counted with
    the upstream model's tokenizer. Beside them stands what the upstream itself counted (usage) in the answers that
    told it; drift is how much more that is than what was counted as sent, for the same requests: tools, images
    and the tokens around each message are in it. What shadow mode would have saved is shown apart.

    Where a policy holds conversations out, its saving is measured: prompt tokens billed per original token, of the
    conversations that were shortened against those that weren't.

    Exit status 2 if there is no ledger to read.
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv: found both; allowed: one of them")
    if since_s <= until_s:
        raise click.UsageError("--since must be longer ago than --until")
    now_s = time.time()
    span = (now_s - since_s) // BUCKET_S * BUCKET_S, now_s - until_s
    store = _store(config_path, url)
    summary = asyncio.run(_read(store, span, by))
    if as_json:
        click.echo(json.dumps(_as_json(summary, span), indent=2, ensure_ascii=False))
    elif as_csv:
        _write_csv(summary)
    else:
        _show(summary, span)


def _store(config_path: Path | None, url: str | None) -> StoreConfig:
    if url is not None:
        try:
            return StoreConfig(url=url)
        except ValidationError as error:
            raise UnusableFileError(
                f"--store: found {_shown(url)!r}; allowed: sqlite:///FILE or redis://HOST:PORT/NUMBER"
            ) from error
    if config_path is None:
        raise click.UsageError(
            "found neither --config nor --store; allowed: one that names the store to read"
        )
    return read_config_file(config_path, read_settings()).store


async def _read(store: StoreConfig, span: tuple[float, float], by: str | None) -> Summary:
    sink = open_sink(store)
    if sink is None:
        raise UnusableFileError(
            "store memory: keeps no ledger, because it ends with the process; name a store in the configuration, "
            "such as `store: sqlite:///laconic.db`, and what is served from then on is counted"
        )
    try:
        return await summarise(sink.read(*span), by)
    except SinkError as error:
        raise UnusableFileError(f"store {_shown(store.url)} can't be read: {error}") from error
    finally:
        await sink.close()


def _shown(url: str) -> str:
    """A store's URL without its password."""
    scheme, slashes, rest = url.rpartition("://")
    return scheme + slashes + rest.rpartition("@")[2]


def _figures(counts: Counts) -> dict[str, float | None]:
    """All that is said of a group, under the names of JSON and CSV."""
    return {
        "requests": counts.requests,
        "original_tokens": counts.original_tokens,
        "sent_tokens": counts.sent_tokens,
        "saved_tokens": counts.saved_tokens,
        "saved_share": counts.saved_share,
        "saved_usd": counts.saved_nanousd / 1e9,
        "shadow_saved_tokens": counts.shadow_saved_tokens,
        "usage_requests": counts.usage_requests,
        "usage_prompt_tokens": counts.usage_prompt_tokens,
        "usage_cached_tokens": counts.usage_cached_tokens,
        "usage_completion_tokens": counts.usage_completion_tokens,
        "drift_tokens": counts.drift_tokens,
        "drift_share": counts.drift_share,
        "compress_s": counts.compress_us / 1e6,
    }


def _as_json(summary: Summary, span: tuple[float, float]) -> dict[str, object]:
    found: dict[str, object] = {"since": _moment(span[0]), "until": _moment(span[1])}
    if summary.by is not None:
        found["groups"] = [{summary.by: name, **_figures(counts)} for name, counts in summary.groups.items()]
    found["total"] = _figures(summary.total)
    found["holdout"] = [
        {"policy": policy, **asdict(measured)} for policy, measured in summary.holdouts.items()
    ]
    return found


def _write_csv(summary: Summary) -> None:
    names = [summary.by] if summary.by is not None else []
    groups = summary.groups if summary.by is not None else {"": summary.total}
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow([*names, *_figures(Counts())])
    for name, counts in groups.items():
        values = ["" if value is None else value for value in _figures(counts).values()]
        out.writerow([*([name] if names else []), *values])


def _show(summary: Summary, span: tuple[float, float]) -> None:
    console = Console()
    if not summary.total.requests:
        console.print(f"No request was counted from {_moment(span[0])} to {_moment(span[1])}.")
        return
    for table in tables(summary, f"from {_moment(span[0])} to {_moment(span[1])}"):
        console.print(table)
    for line in holdout_lines(summary):
        console.print(line, highlight=False, soft_wrap=True)


def _moment(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%MZ")
