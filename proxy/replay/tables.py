"""Summaries as tables of words, for a terminal and for a page alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from proxy.replay.summary import ALL, Break, Cost, Summary
from proxy.replay.tariffs import OWN

BASELINE = "without laconic"
CAPTION = "Input only, at list prices; caches are simulated. No model answered anything here."
_MOST_BREAKS = 20
_NONE = "–"


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: its first column names the rows, the others hold figures."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def grids(summaries: Sequence[Summary]) -> Iterator[Grid]:
    """For each model billed as, and each traffic or policy: what it cost, beside the same without laconic."""

    def place(summary: Summary) -> tuple[str, str, str]:
        return summary.billed_as, summary.traffic, summary.policy

    for key in dict.fromkeys(map(place, summaries)):
        found = [summary for summary in summaries if place(summary) == key]
        yield _costs(f"{_what(found[0])}, billed as {title(found[0].billed_as)}", found)
    whole = _whole(summaries)
    if any(summary.skips for summary in whole):
        yield _skips(whole)
    if any(summary.breaks for summary in whole):
        yield _breaks(whole)


def title(billed_as: str) -> str:
    """The model billed as, for people."""
    return "the model that each request names" if billed_as == OWN else billed_as


def _what(summary: Summary) -> str:
    if summary.policy != ALL:
        return f"policy {summary.policy}" if summary.policy else "without a policy"
    return "all traffic" if summary.traffic == ALL else summary.traffic


def _whole(summaries: Sequence[Summary]) -> list[Summary]:
    """For each configuration the one summary that has all its requests: what isn't money is the same in each bill."""
    first = [s for s in summaries if s.billed_as == summaries[0].billed_as and s.policy == ALL]
    widest = {s.config: s for s in first}  # the last of each: all traffic, where there is more than one
    return list(widest.values())


def _costs(name: str, found: Sequence[Summary]) -> Grid:
    one = found[0]
    rows = [
        ["conversations", *[f"{len(one.costs_usd):,}"] * (len(found) + 1)],
        ["requests", *[f"{one.requests:,}"] * (len(found) + 1)],
        _row("refused", (sum(each.refused.values()) for each in found), first="0"),
        _row(
            "input tokens", (each.sent.usage.input_tokens for each in found), one.original.usage.input_tokens
        ),
        ["text tokens saved", _NONE, *(_saved(each) for each in found)],
        _row(
            "read from cache",
            (each.sent.usage.cached_tokens for each in found),
            one.original.usage.cached_tokens,
        ),
        _row("written to cache", map(_written, (each.sent for each in found)), _written(one.original)),
        [
            "cache hit rate",
            *(f"{100 * cost.hit_rate:.1f} %" for cost in (one.original, *(s.sent for s in found))),
        ],
        ["input cost", *(f"${cost.usd:.4f}" for cost in (one.original, *(each.sent for each in found)))],
        ["difference", _NONE, *(f"{100 * each.change:+.1f} %" for each in found)],
        _row("conversations that cost more", (len(each.dearer) for each in found)),
        _row("prefix breaks", (len(each.breaks) for each in found)),
        *(
            [f"shortening, {label}", _NONE, *(_ms(each.compress_quantile_ms(share)) for each in found)]
            for label, share in (("median", 0.5), ("99th percentile", 0.99))
        ),
        ["shortening, total", _NONE, *(f"{sum(each.compress_ms) / 1000:,.1f} s" for each in found)],
    ]
    shown = [
        row for row in rows if row[0] not in ("refused", "written to cache") or {*row[1:]} - {"0", _NONE}
    ]
    shown += [
        [f"refused: {reason}", _NONE, *(str(each.refused.get(reason, 0)) for each in found)]
        for reason in sorted({reason for each in found for reason in each.refused})
    ]
    return Grid(name, ["", BASELINE, *(each.config for each in found)], shown)


def _row(name: str, figures: Iterable[int], original: int | None = None, first: str = _NONE) -> list[str]:
    return [name, first if original is None else f"{original:,}", *(f"{figure:,}" for figure in figures)]


def _saved(summary: Summary) -> str:
    share = summary.saved_tokens / summary.text_tokens if summary.text_tokens else 0.0
    return f"{summary.saved_tokens:,} ({100 * share:.1f} %)"


def _written(cost: Cost) -> int:
    return cost.usage.written_tokens + cost.usage.long_written_tokens


def _ms(value: float | None) -> str:
    return _NONE if value is None else f"{value:,.1f} ms"


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
