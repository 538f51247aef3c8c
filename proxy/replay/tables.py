"""Summaries as tables of words, for a terminal and for a page alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from proxy.replay.summary import ALL, Break, Cost, Summary
from proxy.replay.tariffs import OWN

BASELINE = "without laconic"
CAPTION = "Input only, at list prices; caches are simulated. No model answered anything here."
_MOST_BREAKS = 20
_NONE = "–"

Cell = Callable[[Summary], str]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: its first column names the rows, the others hold figures."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def grids(summaries: Sequence[Summary]) -> Iterator[Grid]:
    """For each model billed as: what each traffic cost, beside the same without laconic, and what each policy did."""
    for name in dict.fromkeys(map(_name, summaries)):
        found = [summary for summary in summaries if _name(summary) == name]
        yield _costs(name, found)
    whole = _whole(summaries)
    if any(summary.skips for summary in whole):
        yield _skips(whole)
    if any(summary.breaks for summary in whole):
        yield _breaks(whole)


def title(billed_as: str) -> str:
    """The model billed as, for people."""
    return "the model that each request names" if billed_as == OWN else billed_as


def _name(summary: Summary) -> str:
    what = "all traffic" if summary.traffic == ALL else summary.traffic
    if summary.policy != ALL:  # the same policy may have other requests in another configuration
        what = f"{summary.config}, {f'policy {summary.policy}' if summary.policy else 'without a policy'}"
    return f"{what}, billed as {title(summary.billed_as)}"


def _whole(summaries: Sequence[Summary]) -> list[Summary]:
    """For each configuration the one summary that has all its requests: what isn't money is the same in each bill."""
    first = [s for s in summaries if s.billed_as == summaries[0].billed_as and s.policy == ALL]
    widest = {s.config: s for s in first}  # the last of each: all traffic, where there is more than one
    return list(widest.values())


def _costs(name: str, found: Sequence[Summary]) -> Grid:
    rows = [
        [label, without(found[0]), *map(under, found)]
        for label, (without, under) in _MEASURES.items()
        if label not in _IF_ANY or any(under(each) != "0" for each in found)
    ]
    rows += [
        [f"refused: {reason}", _NONE, *(f"{each.refused.get(reason, 0):,}" for each in found)]
        for reason in sorted({reason for each in found for reason in each.refused})
    ]
    return Grid(name, ["", BASELINE, *(each.config for each in found)], rows)


def _same(cell: Cell) -> tuple[Cell, Cell]:
    return cell, cell


def _cost(cell: Callable[[Cost], str]) -> tuple[Cell, Cell]:
    return lambda summary: cell(summary.original), lambda summary: cell(summary.sent)


def _ours(cell: Cell) -> tuple[Cell, Cell]:
    return lambda _: _NONE, cell


def _saved(summary: Summary) -> str:
    return f"{summary.saved_tokens:,}"


def _ms(value: float | None) -> str:
    return _NONE if value is None else f"{value:,.1f} ms"


_MEASURES: Mapping[str, tuple[Cell, Cell]] = {
    "conversations": _same(lambda s: f"{len(s.costs_usd):,}"),
    "requests": _same(lambda s: f"{s.requests:,}"),
    "refused": _ours(lambda s: f"{sum(s.refused.values()):,}"),
    "input tokens": _cost(lambda c: f"{c.usage.input_tokens:,}"),
    "text tokens saved": _ours(_saved),
    "read from cache": _cost(lambda c: f"{c.usage.cached_tokens:,}"),
    "written to cache": _cost(lambda c: f"{c.usage.written_tokens + c.usage.long_written_tokens:,}"),
    "cache hit rate": _cost(lambda c: f"{100 * c.hit_rate:.1f} %"),
    "input cost": _cost(lambda c: f"${c.usd:.4f}"),
    "difference": _ours(lambda s: f"{100 * s.change:+.1f} %"),
    "dearer conversations": _ours(lambda s: f"{len(s.dearer):,}"),
    "prefix breaks": _ours(lambda s: f"{len(s.breaks):,}"),
    "shortening, p50": _ours(lambda s: _ms(s.compress_quantile_ms(0.5))),
    "shortening, p99": _ours(lambda s: _ms(s.compress_quantile_ms(0.99))),
    "shortening, total": _ours(lambda s: f"{sum(s.compress_ms) / 1000:,.1f} s"),
}
"""Each figure's name, what it is without laconic, and what it is under a configuration."""
_IF_ANY = ("refused", "written to cache")


def _skips(found: Sequence[Summary]) -> Grid:
    reasons = dict.fromkeys(reason for each in found for reason in each.skips)
    rows = [[reason, *(f"{each.skips.get(reason, 0):,}" for each in found)] for reason in reasons]
    return Grid("texts left as they were, by reason", ["", *(each.config for each in found)], rows)


def _breaks(found: Sequence[Summary]) -> Grid:
    rows = [_break(each.config, broken) for each in found for broken in each.breaks[:_MOST_BREAKS]]
    left = sum(len(each.breaks[_MOST_BREAKS:]) for each in found)
    rows += [[f"… {left} more", "", "", "", ""]] if left else []
    return Grid("prefix breaks", ["configuration", "conversation", "turn", "message", "role"], rows)


def _break(config: str, broken: Break) -> list[str]:
    message = _NONE if broken.message < 0 else str(broken.message)
    return [config, f"{broken.traffic}: {broken.conversation}", str(broken.turn), message, broken.role]
